import { expect } from 'vitest'
import { test } from './support/fixtures.ts'
import { startMatch } from './support/match.ts'

test('a click made offline', async ({ people, rally }) => {
  const { visitor: xia, wire } = await people.playerByWire('xia', { device: 'phone', theme: 'dark' })
  const { page } = xia
  xia.tolerate(/WebSocket connection to .* failed/)
  await page.goto('/')
  await page.getByTestId('create-match').waitFor()

  await wire.cut()
  await page.locator('[data-testid="connection"]:not([data-state="open"])').waitFor()
  await page.getByTestId('play-bot').click()
  await page.getByText('so nothing was done').waitFor()
  await xia.shoot('refused')

  // Back again, it does nothing by itself, and the next click does what it says.
  await wire.mend()
  await page.locator('[data-testid="connection"][data-state="open"]').waitFor()
  await page.getByText('is back now').waitFor()
  await startMatch(xia, { against: 'local' })
  const modes = await rally.app.platform.database.db.match.findMany({ select: { mode: true } })
  expect(modes).toEqual([{ mode: 'local' }])
})

test('a click whose page was left', async ({ people, rally }) => {
  const { visitor: yan, wire } = await people.playerByWire('yan')
  const { page } = yan
  yan.tolerate(/WebSocket connection to .* failed/)
  await page.goto('/')
  await page.getByTestId('create-match').waitFor()
  await wire.cut()
  await page.locator('[data-testid="connection"]:not([data-state="open"])').waitFor()
  await page.getByTestId('play-bot').click()
  await page.getByRole('link', { name: 'History' }).click()
  await wire.mend()
  await page.locator('[data-testid="connection"][data-state="open"]').waitFor()
  await page.getByText('No matches yet').waitFor()
  expect(new URL(page.url()).pathname).toBe('/history')
  expect(await rally.app.platform.database.db.match.count()).toBe(0)
})
