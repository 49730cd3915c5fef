import { expect } from 'vitest'
import { test } from './support/fixtures.ts'
import { matchIs, startMatch } from './support/match.ts'

const LOST = /net::ERR_|Failed to fetch dynamically imported module|A part of the page could not be loaded/

test('parts that cannot be loaded', async ({ people }) => {
  const wes = await people.player('wes', { device: 'phone' })
  const { page, context } = wes
  wes.tolerate(LOST)
  const isLost = { net: true, stage: true, replay: true }
  const files = [
    ['**/network-overlay-*.js', 'net'],
    ['**/connect-four-stage-*.js', 'stage'],
    ['**/replay-page-*.js', 'replay'],
  ] as const
  for (const [pattern, part] of files) {
    await context.route(pattern, (route) => (isLost[part] ? route.abort() : route.continue()))
  }
  await page.goto('/')
  await page.getByTestId('create-match').waitFor()

  // The view of the network: a word in its place, and the page lives.
  const retry = page.getByTestId('load-again')
  await page.keyboard.press('F9')
  await retry.waitFor()
  await wes.shoot('no-network-view')
  expect(await page.getByTestId('create-match').isVisible()).toBe(true)
  await retry.click()
  await retry.waitFor()
  isLost.net = false
  await retry.click()
  await page.getByTestId('net-overlay').waitFor()
  await wes.shoot('network-view')
  await page.getByTestId('net-close').click()

  // A game: the match goes on around it.
  await startMatch(wes, { game: 'connect-four', against: 'local' })
  await matchIs(wes, 'live')
  await retry.waitFor()
  await wes.shoot('no-game')
  isLost.stage = false
  await retry.click()
  for (const column of [3, 0, 3, 0, 3, 0, 3]) await page.getByTestId(`column-${column}`).click()

  // A page: the header is there, and another visit loads it anew.
  const replay = page.getByTestId('result').getByTestId('replay-link')
  await replay.click()
  await retry.waitFor()
  await page.goBack()
  isLost.replay = false
  await replay.click()
  await page.getByTestId('replay-play').waitFor()
  expect(await retry.count()).toBe(0)
})
