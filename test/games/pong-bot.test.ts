import { describe, expect, test } from 'vitest'
import { winnerOf } from '../../src/games/game.ts'
import * as court from '../../src/games/pong/court.ts'
import { type PongInput, type PongState, pong } from '../../src/games/pong/index.ts'

const STAY: PongInput = { move: 0 }

const begin = (seed: number, pointsToWin: number): PongState => pong.init({ seed, options: { pointsToWin } })

describe('the bot', () => {
  /** A whole match of the bot on `seat` against somebody. */
  function match(seed: number, seat: 0 | 1, other: (state: PongState) => PongInput) {
    const state = begin(seed, 5)
    let ticks = 0
    let changes = 0
    let move = 0
    while (pong.outcome(state) === null) {
      if (++ticks > 60 * 60 * 20) throw new Error(`no end with seed ${seed}`)
      const bot = pong.bot(state, seat)
      if (bot.move !== move) changes++
      move = bot.move
      pong.step(state, seat === 0 ? [bot, other(state)] : [other(state), bot])
    }
    return { winnerSeat: winnerOf(pong.outcome(state)?.placements ?? []), ticks, changes, state }
  }

  test('beats who does nothing, on either side', () => {
    for (let seed = 0; seed < 50; seed++) {
      expect(match(seed, 0, () => STAY).winnerSeat).toBe(0)
      expect(match(seed, 1, () => STAY).winnerSeat).toBe(1)
    }
  })

  test('is beaten by who never misses', () => {
    for (let seed = 0; seed < 10; seed++) {
      const wall = (state: PongState): PongInput => {
        state.paddle1 = Math.max(court.PADDLE_TOP, Math.min(court.PADDLE_BOTTOM, state.ballY + 20))
        return STAY
      }
      expect(match(seed, 0, wall).winnerSeat).toBe(1)
    }
  })

  test('wins about as often on the left as on the right', () => {
    const wins = Array.from({ length: 100 }, (_, seed) => match(seed, 0, (state) => pong.bot(state, 1)).winnerSeat)
    const left = wins.filter((seat) => seat === 0).length
    // Four standard deviations are 20.
    expect(left).toBeGreaterThan(30)
    expect(left).toBeLessThan(70)
  })

  test('changes its mind a few times a second at most', () => {
    let ticks = 0
    let changes = 0
    for (let seed = 0; seed < 20; seed++) {
      const played = match(seed, 0, (state) => pong.bot(state, 1))
      ticks += played.ticks
      changes += played.changes
    }
    expect(changes / (ticks / court.TICK_RATE)).toBeLessThan(4)
  })

  test('makes up its mind once: from one hit to the next it sets out and stops twice at most', () => {
    const state = begin(11, 21)
    let move = 0
    let changes = 0
    let most = 0
    for (let tick = 0; pong.outcome(state) === null && tick < 50_000; tick++) {
      const bot = pong.bot(state, 0)
      if (bot.move !== move) most = Math.max(most, ++changes)
      move = bot.move
      const { hits, pause } = state
      pong.step(state, [bot, pong.bot(state, 1)])
      if (state.hits !== hits || state.pause > pause || (pause > 0 && state.pause === 0)) changes = 0
    }
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(4)
  })
})
