import { expect } from 'vitest'
import { test } from './support/fixtures.ts'
import { isMatch, matchIdOf, matchIs, resultOf, scoreText, startMatch, storedMatch } from './support/match.ts'
import { lookAtCourt, PongPlayer } from './support/pong-player.ts'

test('against the bot', async ({ rally, people }) => {
  const eve = await people.player('eve', { theme: 'dark' })
  await eve.page.goto('/')
  await startMatch(eve, { points: 3, against: 'bot' })
  const matchId = matchIdOf(eve)
  await matchIs(eve, 'live')

  // Plays on until a ball has come back from her paddle, then lets the bot win.
  const player = new PongPlayer(eve, 0)
  let hasReturned = false
  let wasComing = false
  let lastX: number | null = null
  await player.followBall(async ({ ball }) => {
    if (ball && lastX !== null && Math.abs(ball.x - lastX) < 100) {
      const isComing = ball.x < lastX
      hasReturned ||= wasComing && !isComing && ball.x > lastX && ball.x < 200
      wasComing = isComing || (wasComing && ball.x === lastX)
    } else wasComing = false
    lastX = ball?.x ?? null
    return hasReturned || (await isMatch(eve, 'finished'))
  })
  await eve.shoot('returned')
  expect(hasReturned).toBe(true)
  await player.hide()
  await eve.page.getByTestId('result').waitFor({ timeout: 45_000 })
  await eve.shoot('result')

  const stored = await storedMatch(rally, matchId)
  expect(stored.status).toBe('finished')
  expect(Math.max(...stored.scores)).toBe(3)
  expect(await resultOf(eve)).toEqual({
    title: stored.winnerSeat === 0 ? 'You win' : 'You lose',
    score: scoreText(stored.scores),
  })
})

test('two on one keyboard', async ({ rally, people }) => {
  const fay = await people.player('fay')
  await fay.page.goto('/')
  await startMatch(fay, { points: 3, against: 'local' })
  const matchId = matchIdOf(fay)
  await fay.page.getByTestId('countdown').waitFor()
  await fay.shoot('countdown')
  await matchIs(fay, 'live')

  const [left, right] = [new PongPlayer(fay, 0, 'letters'), new PongPlayer(fay, 1, 'arrows')]
  const paddles = async () => (await lookAtCourt(fay)).paddles.map((y) => y ?? Number.NaN)
  await left.move(-1)
  await right.move(1)
  await expect.poll(async () => (await paddles())[0], { timeout: 5_000 }).toBeLessThan(100)
  await expect.poll(async () => (await paddles())[1], { timeout: 5_000 }).toBeGreaterThan(500)
  await fay.shoot('each-their-keys')
  await fay.page.getByTestId('result').waitFor({ timeout: 30_000 })
  await fay.shoot('result')

  const stored = await storedMatch(rally, matchId)
  expect(stored.status).toBe('finished')
  expect(Math.max(...stored.scores)).toBe(3)
  expect(await resultOf(fay)).toEqual({
    title: stored.winnerSeat === 0 ? 'Left wins' : 'Right wins',
    score: scoreText(stored.scores),
  })
})
