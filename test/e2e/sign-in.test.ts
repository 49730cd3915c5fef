import { expect } from 'vitest'
import { giveCode, giveName, readSecret, register, signOut } from './support/account.ts'
import { Authenticator } from './support/authenticator.ts'
import { test } from './support/fixtures.ts'

test('sign out and in again', async ({ people }) => {
  const cleo = await people.stranger('cleo', { device: 'phone' })
  const { page } = cleo
  await page.goto('/')
  const { authenticator, recoveryCodes } = await register(cleo)
  expect(new Set(recoveryCodes).size).toBe(10)

  // Shown once: neither a reload nor the account page has them again.
  await page.reload()
  await page.getByTestId('user-name').click()
  await page.getByTestId('sign-out').waitFor()
  await cleo.shoot('account')
  const [kept = ''] = recoveryCodes
  expect(await page.content()).not.toContain(kept)

  await signOut(cleo)
  await cleo.shoot('signed-out')
  await giveName(cleo, 'cleo')
  await giveCode(cleo, authenticator.lastCode)
  await page.getByText('That code is not right').waitFor()
  await cleo.shoot('used-code')
  await giveCode(cleo, authenticator.code())
  await page.getByTestId('user-name').waitFor()
  expect(await page.getByTestId('user-name').textContent()).toBe('cleo')
  expect(await page.getByRole('list', { name: 'Recovery codes' }).count()).toBe(0)
})

test('a lost authenticator', async ({ people }) => {
  const dora = await people.stranger('dora', { theme: 'dark' })
  const { page } = dora
  await page.goto('/')
  const { recoveryCodes } = await register(dora)
  const [first = '', second = ''] = recoveryCodes

  const recover = async (code: string) => {
    await giveName(dora, 'dora')
    await page.getByTestId('lost-authenticator').click()
    await page.getByTestId('recovery-code').fill(code)
    await page.getByTestId('submit-recovery').click()
  }
  await signOut(dora)
  await recover(first)
  await page.getByTestId('user-name').waitFor()
  await signOut(dora)
  await recover(first)
  await page.getByText('it was used before').waitFor()
  await dora.shoot('used-recovery-code')
  await page.getByTestId('recovery-code').fill(second)
  await page.getByTestId('submit-recovery').click()
  await page.getByTestId('user-name').waitFor()

  // A new authenticator, whose codes are asked for from now on.
  await page.getByTestId('user-name').click()
  await page.getByTestId('rotate').click()
  const renewed = new Authenticator(await readSecret(dora))
  await dora.shoot('new-authenticator')
  await page.getByTestId('totp-code').fill(renewed.code())
  await page.getByRole('button', { name: 'Use the new one' }).click()
  await page.getByTestId('recovery-done').click()
  await signOut(dora)
  await giveName(dora, 'dora')
  await giveCode(dora, renewed.code())
  await page.getByTestId('user-name').waitFor()
})
