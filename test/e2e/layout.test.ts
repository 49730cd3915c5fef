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

  // On its side: the whole court and the buttons are on the screen, and it can still be left.
  const [width, height] = [844, 390]
  await guest.page.setViewportSize({ width, height })
  for (const part of [
    guest.page.getByTestId('pong-canvas'),
    guest.page.getByRole('button', { name: 'Paddle up' }),
    guest.page.getByRole('button', { name: 'Paddle down' }),
    guest.page.getByTestId('leave-match'),
  ]) {
    await expect.poll(async () => isWithin(await part.boundingBox(), width, height)).toBe(true)
  }
  await guest.shoot('on-its-side')
})

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

function isWithin(box: Box | null, width: number, height: number): boolean {
  return box !== null && box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height
}

/** By how many pixels the page is wider than the window. */
function overflow({ page }: Visitor): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}
