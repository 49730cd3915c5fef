import { expect } from 'vitest'
import { giveCode, giveName, readSecret } from './support/account.ts'
import { Authenticator } from './support/authenticator.ts'
import { test } from './support/fixtures.ts'
import { matchIdOf, matchIs, startMatch } from './support/match.ts'
import type { Visitor } from './support/visitor.ts'

test.for(['desktop', 'phone'] as const)('recovery codes can be read off, %s', async (device, { people }) => {
  const una = await people.stranger('una', { device })
  const { page } = una
  await page.goto('/')
  await giveName(una, 'una')
  await giveCode(una, new Authenticator(await readSecret(una)).code())
  const codes = page.getByRole('list', { name: 'Recovery codes' }).locator('code')
  await codes.first().waitFor()
  expect(await codes.count()).toBe(10)
  // One rectangle is one line.
  expect(await codes.evaluateAll((all) => all.map((code) => code.getClientRects().length))).toEqual(Array(10).fill(1))
  expect(await overflow(una)).toBe(0)
})

test('on a phone', async ({ people }) => {
  // As long as names may be.
  const [val, wes] = ['val_has_a_long_name_', 'wes_has_a_long_name_']
  const host = await people.player(val)
  const guest = await people.player(wes, { device: 'phone' })
  await Promise.all([host, guest].map(({ page }) => page.goto('/')))
  await startMatch(host, { points: 21 })
  const entry = guest.page.locator(`[data-match="${matchIdOf(host)}"]`)
  await entry.waitFor()

  // Who waits is seen without scrolling, before the form.
  const [list, form] = [await entry.boundingBox(), await guest.page.getByTestId('create-match').boundingBox()]
  expect(list?.y).toBeLessThan(form?.y ?? 0)
  expect(list?.y).toBeLessThan(guest.page.viewportSize()?.height ?? 0)
  expect(await overflow(guest)).toBe(0)

  await entry.getByTestId('join-match').click()
  await matchIs(guest, 'live')
  const score = guest.page.getByRole('region', { name: 'Score' })
  for (const text of [val, wes, 'You']) expect(await score.getByText(text, { exact: true }).isVisible()).toBe(true)
  expect(await overflow(guest)).toBe(0)
  await guest.shoot('live')
})

/** By how many pixels the page is wider than the window. */
function overflow({ page }: Visitor): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}
