import { expect } from 'vitest'
import { unpackInputs } from '../../src/engine/index.ts'
import { type PongState, pong } from '../../src/games/pong/index.ts'
import type { Rally } from '../support/server.ts'
import { simulate } from '../support/simulate.ts'
import { test } from './support/fixtures.ts'
import { matchIdOf, matchIs, scoreText, startMatch, storedMatch } from './support/match.ts'
import { lookAtCourt, PongPlayer } from './support/pong-player.ts'
import type { Visitor } from './support/visitor.ts'

const SECOND = pong.tickRate

test('a replay', { timeout: 90_000 }, async ({ rally, people }) => {
  const nia = await people.player('nia')
  const { page } = nia
  await page.goto('/')
  await startMatch(nia, { points: 3, against: 'local' })
  const matchId = matchIdOf(nia)
  await matchIs(nia, 'live')
  await new PongPlayer(nia, 0, 'letters').hide()
  await new PongPlayer(nia, 1, 'arrows').hide()
  await page.getByTestId('result').waitFor({ timeout: 45_000 })
  await page.getByTestId('result').getByTestId('replay-link').click()
  await page.waitForURL(`**/replay/${matchId}`)
  await page.getByTestId('replay-play').waitFor()
  await nia.shoot('start')

  const { scores } = await storedMatch(rally, matchId)
  const log = await storedLog(rally, matchId)
  expect(await shownScores(nia)).toEqual([0, 0])
  expect(await page.locator('.seek-mark').count()).toBe(scores[0] !== undefined ? scores.reduce((a, b) => a + b) : 0)

  // What is drawn in any place, there and back, is what the rules make of the inputs up to there.
  for (const tick of [0.6, 0.25, 0.9].map((part) => Math.round(log.ticks * part))) {
    await page.getByTestId('replay-seek').fill(String(tick))
    const expected = simulate(pong, { ...log, ticks: tick })
    await expectCourt(nia, expected)
    expect(await shownScores(nia)).toEqual(pong.scores(expected))
    expect(await page.getByTestId('replay-time').textContent()).toBe(`${clock(tick)} / ${clock(log.ticks)}`)
  }

  await page.getByTestId('replay-seek').fill(String(3 * SECOND))
  await page.keyboard.press('ArrowLeft')
  expect(await place(nia)).toBe(2 * SECOND)
  await page.keyboard.press('.')
  expect(await place(nia)).toBe(2 * SECOND + 1)
  await page.getByTestId('replay-forward').click()
  expect(await place(nia)).toBeGreaterThan(2 * SECOND)
  await nia.shoot('before-a-point')

  await page.getByTestId('replay-seek').fill('0')
  await page.getByTestId('replay-speed-8').click()
  await page.getByTestId('replay-play').click()
  await expect.poll(() => place(nia), { timeout: 30_000 }).toBe(log.ticks)
  await page.getByRole('button', { name: 'Play again' }).waitFor()
  expect(await shownScores(nia)).toEqual(scores)
  await nia.shoot('end')

  // Half as fast, it is not over again at once, and it stops where it is paused.
  await page.getByTestId('replay-speed-0.5').click()
  await page.getByTestId('replay-play').click()
  await expect.poll(() => place(nia)).toBeGreaterThan(10)
  await page.getByTestId('replay-play').click()
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor()
  const paused = await place(nia)
  await lookAtCourt(nia)
  expect(await place(nia)).toBe(paused)

  await page.getByRole('link', { name: 'History' }).click()
  const entry = page.getByTestId('history-list').locator(`[data-match="${matchId}"]`)
  expect(await entry.textContent()).toContain(scoreText(scores))
  await entry.getByTestId('replay-link').click()
  await page.waitForURL(`**/replay/${matchId}`)

  // A shared moment is the one that is shown.
  await page.getByTestId('replay-seek').fill(String(2 * SECOND + 7))
  await nia.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.getByRole('button', { name: 'Copy this moment' }).click()
  await page.getByText('Copied').waitFor()
  await page.goto(await page.evaluate(() => navigator.clipboard.readText()))
  expect(await place(nia)).toBe(2 * SECOND + 7)

  // Whoever has the link needs no account.
  const otto = await people.stranger('otto', { device: 'phone', theme: 'dark' })
  await otto.page.goto(`/replay/${matchId}`)
  await otto.page.getByRole('button', { name: 'Play the match' }).click()
  await expect.poll(() => place(otto)).toBeGreaterThan(10)
  await otto.shoot('by-link')
})

test('a replay, move by move', async ({ people }) => {
  const pam = await people.player('pam', { theme: 'dark' })
  const { page } = pam
  await page.goto('/')
  await startMatch(pam, { game: 'connect-four', against: 'local' })
  await matchIs(pam, 'live')
  for (const column of [3, 0, 3, 0, 3, 0, 3]) await page.getByTestId(`column-${column}`).click()
  await page.getByTestId('result').getByTestId('replay-link').click()

  const discs = () => page.locator('.four-cell[data-disc]').count()
  await page.getByTestId('replay-play').waitFor()
  expect(await discs()).toBe(0)
  for (let move = 1; move <= 3; move++) {
    await page.keyboard.press('ArrowRight')
    expect(await page.getByTestId('replay-time').textContent()).toBe(`Move ${move} of 7`)
    expect(await discs()).toBe(move)
  }
  await page.getByTestId('replay-back').click()
  expect(await discs()).toBe(2)
  await pam.shoot('second-move')
  await page.getByTestId('replay-speed-8').click()
  await page.getByTestId('replay-play').click()
  await page.getByText('Move 7 of 7').waitFor()
  expect(await page.locator('[data-testid="column-3"] [data-line]').count()).toBe(4)
  expect((await shownScores(pam)).toSorted()).toEqual([0, 1])
  await pam.shoot('end')
})

test('no replay', async ({ people }) => {
  const rob = await people.player('rob')
  const { page } = rob
  for (const id of ['nonsense', '0193a0e0-0000-7000-8000-000000000000']) {
    await page.goto(`/replay/${id}`)
    await page.getByText('There is no match at this address.').waitFor()
  }
  await rob.shoot('unknown')
  await page.goto('/')
  await startMatch(rob, { visibility: 'private' })
  await page.goto(`/replay/${matchIdOf(rob)}`)
  await page.getByText('This match is not over yet.').waitFor()
  await page.getByRole('link', { name: 'To the match' }).click()
  await page.getByTestId('share-link').waitFor()
})

/** What a match in the database was played from. */
async function storedLog(rally: Rally, id: string) {
  const match = await rally.app.platform.database.db.match.findUniqueOrThrow({ where: { id } })
  const changes = unpackInputs(match.inputs)
  if (changes === null || match.ticks === null) throw new Error('the match has no inputs')
  return {
    seed: match.seed,
    options: pong.options.parse(match.options),
    changes: changes.map(({ tick, seat, input }) => ({ tick, seat, input: pong.input.parse(input) })),
    ticks: match.ticks,
  }
}

async function expectCourt(visitor: Visitor, { ballX, ballY, paddle0, paddle1 }: PongState): Promise<void> {
  const { ball, paddles } = await lookAtCourt(visitor)
  const seen = [ball?.x, ball?.y, ...paddles].map((value) => value ?? Number.NaN)
  const right = [ballX, ballY, paddle0, paddle1]
  seen.forEach((value, index) => {
    expect(Math.abs(value - (right[index] ?? Number.NaN))).toBeLessThan(4)
  })
}

async function shownScores({ page }: Visitor): Promise<number[]> {
  const texts = await Promise.all([0, 1].map((seat) => page.getByTestId(`replay-score-${seat}`).textContent()))
  return texts.map(Number)
}

/** Where the bar is, in ticks. */
async function place({ page }: Visitor): Promise<number> {
  return Number(await page.getByTestId('replay-seek').inputValue())
}

function clock(tick: number): string {
  const seconds = Math.floor(tick / SECOND)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
