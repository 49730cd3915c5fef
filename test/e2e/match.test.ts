import { expect } from 'vitest'
import { register } from './support/account.ts'
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
import { lookAtCourt, PongPlayer } from './support/pong-player.ts'

// Two who register, one by way of an invitation, play to 3 points; one of them reloads the page in the middle.
test('two strangers', { timeout: 90_000 }, async ({ rally, people }) => {
  const ada = await people.stranger('ada')
  const bob = await people.stranger('bob', { theme: 'dark' })

  await ada.page.goto('/')
  await ada.page.getByTestId('username').waitFor()
  await ada.shoot('sign-in')
  await register(ada)
  await ada.page.getByTestId('create-match').waitFor()
  await ada.shoot('lobby')
  await startMatch(ada, { points: 3, visibility: 'private' })
  const { link, code } = await invitationOf(ada)
  await ada.shoot('waiting-room')
  const matchId = matchIdOf(ada)
  expect(new URL(link).pathname).toBe(`/join/${code}`)

  await bob.page.goto(link)
  await bob.page.getByText('You have been invited to a match').waitFor()
  await bob.shoot('invited')
  await register(bob)
  await bob.page.waitForURL(`**/m/${matchId}`)
  await Promise.all([ada, bob].map(({ page }) => page.getByTestId('countdown').waitFor()))
  await Promise.all([ada.shoot('countdown'), bob.shoot('countdown')])

  await Promise.all([matchIs(ada, 'live'), matchIs(bob, 'live')])
  const [left, right] = [new PongPlayer(ada, 0), new PongPlayer(bob, 1)]
  await right.hide()
  await left.followBall(async () => scoreText(await scoresOf(ada)) !== '0 : 0')
  await Promise.all([ada.shoot('first-point'), bob.shoot('first-point')])

  await ada.page.reload()
  await matchIs(ada, 'live')
  await expect.poll(async () => (await lookAtCourt(ada)).ball).not.toBeNull()
  expect(scoreText(await scoresOf(ada))).not.toBe('0 : 0')
  await ada.shoot('reloaded')

  await left.followBall(() => isMatch(ada, 'finished'))
  const [adasResult, bobsResult] = await Promise.all([resultOf(ada), resultOf(bob)])
  await Promise.all([ada.shoot('result'), bob.shoot('result')])
  const stored = await storedMatch(rally, matchId)
  const score = scoreText(stored.scores)
  expect(stored.status).toBe('finished')
  expect(Math.max(...stored.scores)).toBe(3)
  expect(stored.scores.indexOf(3)).toBe(stored.winnerSeat)
  expect(adasResult).toEqual({ title: stored.winnerSeat === 0 ? 'You win' : 'You lose', score })
  expect(bobsResult).toEqual({ title: stored.winnerSeat === 1 ? 'You win' : 'You lose', score })
  expect(await scoresOf(ada)).toEqual(stored.scores)
  expect(await scoresOf(bob)).toEqual(stored.scores)

  // One order of the points for everybody, that of the names beside them.
  for (const { visitor, players, seat } of [
    { visitor: ada, players: 'You against bob', seat: 0 },
    { visitor: bob, players: 'ada against you', seat: 1 },
  ]) {
    expect(await visitor.page.getByTestId('match-status').textContent()).toContain(score)
    await visitor.page.getByRole('link', { name: 'History' }).click()
    const entry = visitor.page.getByTestId('history-list').locator(`[data-match="${matchId}"]`)
    const text = await entry.textContent()
    expect(text).toContain(players)
    expect(text).toContain(score)
    expect(text).toContain(stored.winnerSeat === seat ? 'Won' : 'Lost')
    await visitor.shoot('history')
  }
})
