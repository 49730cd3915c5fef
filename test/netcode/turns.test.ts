import { describe, expect, test } from 'vitest'
import { connectFour } from '../../src/games/connect-four/index.ts'
import { winnerOf } from '../../src/games/game.ts'
import { GOOD_LINK, VirtualMatch, VirtualTime } from './virtual-match.ts'

const LINK = { ...GOOD_LINK, latencyMs: 80, jitterMs: 30 }

async function started() {
  const time = new VirtualTime(3)
  const match = new VirtualMatch({ game: connectFour, options: { first: 0 }, time })
  const first = match.join(LINK, { seats: [0] })
  const second = match.join(LINK, { seats: [1] })
  await new Promise(setImmediate)
  time.runUntil(time.now + 300)
  match.start()
  time.runUntil(time.now + 300)
  return { time, match, first, second }
}

describe('a game in turns', () => {
  test('shows the own turn at once and the other’s when it comes, to the end', async () => {
    const { time, match, first, second } = await started()
    const states: unknown[] = []
    second.play.on('state', (state) => states.push(state))
    const ends: (number | null | undefined)[] = []
    for (const { play } of [first, second])
      play.on('end', ({ outcome }) => ends.push(outcome && winnerOf(outcome.placements)))
    for (const [seat, column] of [
      [0, 3],
      [1, 4],
      [0, 3],
      [1, 4],
      [0, 3],
      [1, 4],
      [0, 3],
    ] as const) {
      const { play } = seat === 0 ? first : second
      const before = JSON.stringify(play.state)
      expect(play.input({ column })).toBe(true)
      expect(JSON.stringify(play.state)).not.toBe(before)
      expect(match.runner.tick).toBeLessThan(7)
      time.runUntil(time.now + 400)
      expect(first.play.state).toEqual(second.play.state)
      expect(first.play.state).toEqual(match.runner.state)
    }
    expect(states.length).toBeGreaterThanOrEqual(7)
    expect(ends).toEqual([0, 0])
    expect(first.play.status).toBe('finished')
    expect([first, second].map(({ play }) => play.figures.desyncs)).toEqual([0, 0])
    expect(match.log.changes).toHaveLength(7)
  })

  test('takes no turn that the rules do not, and sends none', async () => {
    const { time, match, first, second } = await started()
    const { sent } = second.client
    expect(second.play.input({ column: 0 })).toBe(false)
    expect(second.client.sent).toBe(sent)
    expect(first.play.input({ column: 0 })).toBe(true)
    // Not twice before the other.
    expect(first.play.input({ column: 1 })).toBe(false)
    time.runUntil(time.now + 400)
    expect(match.runner.tick).toBe(1)
  })

  test('takes back a turn that was lost with the connection', async () => {
    const { time, match, first } = await started()
    const corrections: number[] = []
    first.play.on('correction', ({ depth }) => corrections.push(depth))
    const before = JSON.stringify(first.play.state)
    expect(first.play.input({ column: 2 })).toBe(true)
    first.client.cut(200)
    expect(JSON.stringify(first.play.state)).not.toBe(before)
    // Turns are no held keys: nobody wants one said in a moment that is another.
    expect(first.play.input({ column: 3 })).toBe(false)
    time.runUntil(time.now + 1_000)
    expect(match.runner.tick).toBe(0)
    expect(JSON.stringify(first.play.state)).toBe(before)
    expect(first.play.input({ column: 2 })).toBe(true)
    time.runUntil(time.now + 400)
    expect(match.runner.tick).toBe(1)
  })
})
