import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashState } from '../../src/games/hash.ts'
import { MAX_SPEED } from '../../src/games/pong/ball.ts'
import {
  BACK_LEFT,
  BACK_RIGHT,
  BALL_RADIUS,
  FACE_LEFT,
  FACE_RIGHT,
  HEIGHT,
  PADDLE_BOTTOM,
  PADDLE_TOP,
  REACH,
  WIDTH,
} from '../../src/games/pong/court.ts'
import { type PongInput, type PongState, pong } from '../../src/games/pong/index.ts'

const MOVES: readonly PongInput[] = [{ move: -1 }, { move: 0 }, { move: 1 }]
const FEWEST_GAMES = 100_000

interface Script {
  readonly seed: number
  readonly pointsToWin: number
  readonly ticks: number
  /** Each says what both seats hold, and for how many ticks; played round and round. */
  readonly holds: readonly number[]
  /** What the ball's velocity is multiplied with now and then; 1 leaves the game alone. */
  readonly force: number
}

const scripts: fc.Arbitrary<Script> = fc.record({
  seed: fc.integer({ min: 0, max: 0xffff_ffff }),
  pointsToWin: fc.integer({ min: 1, max: 3 }),
  ticks: fc.integer({ min: 60, max: 400 }),
  holds: fc.array(fc.nat(9 * 40 - 1), { minLength: 1, maxLength: 12 }),
  force: fc.constantFrom(1, 1, 1.5, 4, 30, 1000),
})

/** Plays a script; `look` sees the state after every tick. Answers a hash over states on the way and the last one. */
function play(script: Script, look: (state: PongState, tick: number) => void): { state: PongState; hash: number } {
  const state = pong.init({ seed: script.seed, options: { pointsToWin: script.pointsToWin } })
  const inputs: PongInput[] = [pong.idle, pong.idle]
  let hash = 0
  let next = 0
  let until = 0
  // Nothing happens in the first pause that does not happen in the next: skip most of it.
  state.pause = 6
  for (let tick = 0; tick < script.ticks; tick++) {
    if (tick === until) {
      const hold = script.holds[next++ % script.holds.length] ?? 0
      inputs[0] = MOVES[hold % 3] ?? pong.idle
      inputs[1] = MOVES[Math.floor(hold / 3) % 3] ?? pong.idle
      until = tick + 1 + Math.floor(hold / 9)
      if (script.force !== 1 && state.pause === 0 && state.speed < 1e6) {
        state.velocityX *= script.force
        state.velocityY *= script.force
        state.speed *= script.force
      }
    }
    pong.step(state, inputs)
    look(state, tick)
    if (tick % 64 === 0) hash = Math.imul(hash, 31) + hashState(state)
  }
  return { state, hash: (Math.imul(hash, 31) + hashState(state)) | 0 }
}

function isInside(state: PongState): boolean {
  const { ballX, ballY, paddle0, paddle1 } = state
  return (
    ballX >= BALL_RADIUS &&
    ballX <= WIDTH - BALL_RADIUS &&
    ballY >= BALL_RADIUS &&
    ballY <= HEIGHT - BALL_RADIUS &&
    paddle0 >= PADDLE_TOP &&
    paddle0 <= PADDLE_BOTTOM &&
    paddle1 >= PADDLE_TOP &&
    paddle1 <= PADDLE_BOTTOM
  )
}

/** Whether the ball overlaps a paddle by more than rounding. */
function isInPaddle(state: PongState): boolean {
  const { ballX, ballY, paddle0, paddle1 } = state
  const hair = 1e-6
  if (ballX < FACE_LEFT - hair && ballX > BACK_LEFT + hair) return Math.abs(ballY - paddle0) < REACH - hair
  if (ballX > FACE_RIGHT + hair && ballX < BACK_RIGHT - hair) return Math.abs(ballY - paddle1) < REACH - hair
  return false
}

describe('random games of pong', () => {
  test('have no NaN, no ball outside the field or inside a paddle, and the same bytes twice', {
    timeout: 120_000,
  }, () => {
    let played = 0
    let points = 0
    let hits = 0
    let finished = 0
    fc.assert(
      fc.property(scripts, (script) => {
        let score0 = 0
        let score1 = 0
        let lastHits = 0
        const first = play(script, (state, tick) => {
          const fail = (what: string) => new Error(`${what} after tick ${tick}: ${JSON.stringify(state)}`)
          for (const key in state) {
            const value = state[key as keyof PongState]
            if (!Number.isFinite(value) || Object.is(value, -0)) throw fail(`${key} is ${value}`)
          }
          if (!isInside(state)) throw fail('something is outside the field')
          if (isInPaddle(state)) throw fail('the ball is inside a paddle')
          if (script.force === 1 && state.speed > MAX_SPEED) throw fail('too fast')
          const gained = state.score0 - score0 + (state.score1 - score1)
          if (gained < 0 || gained > 1 || state.score0 < score0 || state.score1 < score1) throw fail('scores jumped')
          if (Math.max(state.score0, state.score1) > script.pointsToWin) throw fail('too many points')
          points += gained
          if (state.hits > lastHits) hits += state.hits - lastHits
          score0 = state.score0
          score1 = state.score1
          lastHits = state.hits
        })
        const second = play(script, () => {})
        if (first.hash !== second.hash) throw new Error('two runs differ')
        if (played % 100 === 0) expect(JSON.stringify(second.state)).toBe(JSON.stringify(first.state))
        if (pong.outcome(first.state)) finished++
        played++
      }),
      { numRuns: FEWEST_GAMES },
    )
    expect(played).toBeGreaterThanOrEqual(FEWEST_GAMES)
    // The games were games: balls met paddles, points were made, matches ended.
    expect(points).toBeGreaterThan(FEWEST_GAMES)
    expect(hits).toBeGreaterThan(FEWEST_GAMES / 10)
    expect(finished).toBeGreaterThan(FEWEST_GAMES / 10)
  })
})
