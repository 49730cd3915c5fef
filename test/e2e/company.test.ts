import { expect } from 'vitest'
import { test } from './support/fixtures.ts'
import {
  invitationOf,
  isMatch,
  matchIdOf,
  matchIs,
  resultOf,
  scoresOf,
  scoreText,
  startMatch,
  storedMatch,
} from './support/match.ts'
import { lookAtCourt, PongPlayer, pullPaddle } from './support/pong-player.ts'

test('a spectator', async ({ rally, people }) => {
  const gus = await people.player('gus')
  const hal = await people.player('hal', { device: 'phone' })
  const ida = await people.player('ida', { device: 'phone', theme: 'dark' })

  await Promise.all([gus, hal, ida].map(({ page }) => page.goto('/')))
  await startMatch(gus, { points: 3 })
  const matchId = matchIdOf(gus)
  // The lobby fills by itself.
  await hal.page.locator(`[data-match="${matchId}"]`).getByTestId('join-match').click()
  const entry = ida.page.locator(`[data-match="${matchId}"]`)
  await entry.getByTestId('watch-match').waitFor()
  await ida.shoot('lobby')
  await entry.getByTestId('watch-match').click()
  await matchIs(ida, 'live')
  await ida.page.getByText('Watching').waitFor()

  // One pulls the paddle over the court, the other one holds the button of a phone; both are seen here.
  await pullPaddle(gus, 0.95)
  await hal.page.getByRole('button', { name: 'Paddle up' }).hover()
  await hal.page.mouse.down()
  await expect.poll(async () => (await lookAtCourt(ida)).paddles[1], { timeout: 5_000 }).toBeLessThan(100)
  await expect.poll(async () => (await lookAtCourt(ida)).paddles[0], { timeout: 5_000 }).toBeGreaterThan(500)
  await hal.shoot('on-a-phone')
  // What the spectator presses changes nothing.
  await ida.page.keyboard.down('ArrowUp')
  await expect.poll(async () => scoreText(await scoresOf(ida)), { timeout: 10_000 }).not.toBe('0 : 0')
  expect((await lookAtCourt(ida)).paddles[0]).toBeGreaterThan(500)
  await ida.shoot('watching')

  await Promise.all([gus, hal, ida].map(({ page }) => page.getByTestId('result').waitFor({ timeout: 20_000 })))
  await ida.shoot('result')
  const stored = await storedMatch(rally, matchId)
  const winner = stored.winnerSeat === 0 ? 'gus' : 'hal'
  expect(await resultOf(ida)).toEqual({ title: `${winner} wins`, score: scoreText(stored.scores) })
  expect((await resultOf(gus)).score).toBe(scoreText(stored.scores))
})

test('a cut network', async ({ rally, people }) => {
  const { visitor: jon, wire } = await people.playerByWire('jon')
  const kit = await people.player('kit', { theme: 'dark' })
  jon.tolerate(/WebSocket connection to .* failed/)

  await Promise.all([jon, kit].map(({ page }) => page.goto('/')))
  await startMatch(jon, { points: 3, visibility: 'private' })
  const matchId = matchIdOf(jon)
  const { code } = await invitationOf(jon)
  await kit.page.getByTestId('join-code').fill(code.toLowerCase())
  await kit.page.getByTestId('submit-join').click()
  await Promise.all([matchIs(jon, 'live'), matchIs(kit, 'live')])
  const [left, right] = [new PongPlayer(jon, 0), new PongPlayer(kit, 1)]
  await right.hide()

  await wire.cut()
  await jon.page.locator('[data-testid="connection"]:not([data-state="open"])').waitFor()
  await kit.page.getByText('jon lost the connection').waitFor()
  await Promise.all([jon.shoot('cut'), kit.shoot('opponent-away')])

  await wire.mend()
  await jon.page.locator('[data-testid="connection"][data-state="open"]').waitFor()
  await kit.page.getByText('jon lost the connection').waitFor({ state: 'detached' })
  await matchIs(jon, 'live')
  await jon.shoot('back')
  // The court moves again, and so does the paddle.
  await left.move(1)
  await expect.poll(async () => (await lookAtCourt(kit)).paddles[0], { timeout: 5_000 }).toBeGreaterThan(500)
  await left.followBall(() => isMatch(jon, 'finished'))
  const stored = await storedMatch(rally, matchId)
  expect(stored.status).toBe('finished')
  expect((await resultOf(jon)).score).toBe(scoreText(stored.scores))
  expect((await resultOf(kit)).score).toBe(scoreText(stored.scores))
})
