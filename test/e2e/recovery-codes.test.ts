import { expect } from 'vitest'
import { giveCode, giveName, readSecret, register } from './support/account.ts'
import { Authenticator } from './support/authenticator.ts'
import { test } from './support/fixtures.ts'
import type { Visitor } from './support/visitor.ts'

test('codes that are not kept yet', async ({ people }) => {
  const uma = await people.stranger('uma', { device: 'phone' })
  const { page } = uma
  let questions = 0
  page.on('dialog', (dialog) => {
    if (dialog.type() === 'beforeunload') questions++
    void dialog.accept()
  })
  await page.goto('/')
  await giveName(uma, 'uma')
  const authenticator = new Authenticator(await readSecret(uma))
  await giveCode(uma, authenticator.code())
  const codes = await shownCodes(uma)
  expect(new Set(codes).size).toBe(10)

  // Another page does not take them away, and says why it does not come.
  await page.getByTestId('nav-more').click()
  await page.getByRole('link', { name: 'History' }).click()
  await page.getByText('please keep these codes first').waitFor()
  expect(await shownCodes(uma)).toEqual(codes)
  await uma.shoot('elsewhere')

  // Nor does a reload, which is asked about.
  await page.reload()
  expect(await shownCodes(uma)).toEqual(codes)
  expect(questions).toBe(1)
  await page.goBack()
  expect(await shownCodes(uma)).toEqual(codes)
  await page.goForward()

  await page.getByTestId('recovery-done').click()
  await page.getByRole('heading', { name: 'History' }).waitFor()
  expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }))).not.toContain(codes[0])
  await page.reload()
  await page.getByRole('heading', { name: 'History' }).waitFor()
  expect(await page.content()).not.toContain(codes[0])
  expect(questions).toBe(1)
})

test('codes of a new authenticator', async ({ people }) => {
  const vic = await people.stranger('vic', { theme: 'dark' })
  const elsewhere = await people.stranger('vic elsewhere')
  const { page } = vic
  page.on('dialog', (dialog) => void dialog.accept())
  await page.goto('/')
  const { authenticator } = await register(vic)
  await elsewhere.page.goto('/')
  await giveName(elsewhere, 'vic')
  await giveCode(elsewhere, authenticator.code())
  await elsewhere.page.getByTestId('user-name').waitFor()

  await page.goto('/account')
  const sessions = page.getByTestId('sessions-list').locator('[data-session]')
  await expect.poll(() => sessions.count()).toBe(2)
  await page.getByTestId('rotate').click()
  const renewed = new Authenticator(await readSecret(vic))
  await page.getByTestId('totp-code').fill(renewed.code())
  await page.getByRole('button', { name: 'Use the new one' }).click()
  const codes = await shownCodes(vic)
  await page.getByText('signed out everywhere else').waitFor()
  await vic.shoot('renewed')
  await page.getByRole('link', { name: 'Play' }).click()
  await page.reload()
  expect(await shownCodes(vic)).toEqual(codes)
  await page.getByTestId('user-name').click()
  await page.getByTestId('recovery-done').click()

  await elsewhere.page.getByTestId('username').waitFor()

  // What it said is so: this browser alone is signed in.
  await sessions.first().waitFor()
  expect(await sessions.count()).toBe(1)
  expect(await sessions.textContent()).toContain('This browser')
  await vic.shoot('account')
})

async function shownCodes({ page }: Visitor): Promise<string[]> {
  const codes = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem')
  await codes.first().waitFor()
  return codes.allTextContents()
}
