import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as ball from '../../src/games/pong/ball.ts'
import * as court from '../../src/games/pong/court.ts'
import { type PongInput, type PongState, pong } from '../../src/games/pong/index.ts'

const STAY: PongInput = { move: 0 }
const UP: PongInput = { move: -1 }
const DOWN: PongInput = { move: 1 }

const begin = (seed = 1, pointsToWin = 11): PongState => pong.init({ seed, options: { pointsToWin } })

/** A ball in flight, at a place and speed. */
function flying(
  ball: { x: number; y: number; vx: number; vy: number },
  paddles: [number, number] = [300, 300],
): PongState {
  const { x, y, vx, vy } = ball
  return {
    ...begin(),
    pause: 0,
    paddle0: paddles[0],
    paddle1: paddles[1],
    ballX: x,
    ballY: y,
    velocityX: vx,
    velocityY: vy,
    speed: Math.sqrt(vx * vx + vy * vy),
  }
}

function run(state: PongState, ticks: number, left = STAY, right = STAY): PongState {
  for (let i = 0; i < ticks; i++) pong.step(state, [left, right])
  return state
}

describe('options', () => {
  test('ask for 1 to 21 points, 11 unless said', () => {
    expect(pong.options.parse({})).toEqual({ pointsToWin: 11 })
    expect(pong.options.parse({ pointsToWin: 3 })).toEqual({ pointsToWin: 3 })
    for (const pointsToWin of [0, 22, 1.5, '3', null])
      expect(pong.options.safeParse({ pointsToWin }).success).toBe(false)
  })
})

describe('paddles', () => {
  test('move at their speed and stop at the walls', () => {
    const state = run(begin(), 1, UP, DOWN)
    expect([state.paddle0, state.paddle1]).toEqual([300 - court.PADDLE_SPEED, 300 + court.PADDLE_SPEED])
    run(state, 50, UP, DOWN)
    expect([state.paddle0, state.paddle1]).toEqual([court.PADDLE_TOP, court.PADDLE_BOTTOM])
  })

  test('move during the pause before a serve', () => {
    const state = run(begin(), 3, DOWN, STAY)
    expect(state.pause).toBe(ball.SERVE_PAUSE - 3)
    expect(state.paddle0).toBe(300 + 3 * court.PADDLE_SPEED)
  })
})

describe('a serve', () => {
  test('comes from the centre after a pause, at the starting speed and not too steep', () => {
    for (let seed = 0; seed < 200; seed++) {
      const state = begin(seed)
      const slope = Math.abs(state.velocityY / state.velocityX)
      expect(slope).toBeGreaterThan(ball.MIN_SERVE_SLOPE - 1e-9)
      expect(slope).toBeLessThan(ball.MAX_SERVE_SLOPE + 1e-9)
      run(state, ball.SERVE_PAUSE)
      expect([state.ballX, state.ballY]).toEqual([court.WIDTH / 2, court.HEIGHT / 2])
      run(state, 1)
      const moved = Math.sqrt((state.ballX - court.WIDTH / 2) ** 2 + (state.ballY - court.HEIGHT / 2) ** 2)
      expect(moved).toBeCloseTo(ball.START_SPEED, 9)
    }
  })

  test('goes first to a side that the seed says, each about as often, up as often as down', () => {
    const first = Array.from({ length: 1000 }, (_, seed) => begin(seed))
    const toLeft = first.filter((state) => state.velocityX < 0).length
    const up = first.filter((state) => state.velocityY < 0).length
    // Six standard deviations are 95.
    expect(Math.abs(toLeft - 500)).toBeLessThan(95)
    expect(Math.abs(up - 500)).toBeLessThan(95)
  })

  test('goes towards who lost the point', () => {
    for (const [vx, seat] of [
      [-10, 0],
      [10, 1],
    ] as const) {
      const state = flying({ x: seat === 0 ? 20 : 780, y: 500, vx, vy: 0 }, [100, 100])
      run(state, 2)
      expect(pong.scores(state)).toEqual(seat === 0 ? [0, 1] : [1, 0])
      expect(state.pause).toBe(ball.SERVE_PAUSE)
      expect([state.ballX, state.ballY, state.hits, state.speed]).toEqual([400, 300, 0, ball.START_SPEED])
      expect(Math.sign(state.velocityX)).toBe(seat === 0 ? -1 : 1)
    }
  })

  test('is not the same twice in a match', () => {
    const state = begin(9, 21)
    const serves = new Set<number>()
    while (pong.outcome(state) === null) {
      if (state.pause === ball.SERVE_PAUSE) serves.add(state.velocityY)
      run(state, 1, UP, UP)
    }
    const [left = 0, right = 0] = pong.scores(state)
    expect(serves.size).toBe(left + right)
  })
})

describe('a hit', () => {
  test('in the middle sends the ball straight back, a little faster', () => {
    const state = run(flying({ x: 50, y: 300, vx: -8, vy: 0 }), 1)
    expect(state.velocityX).toBeCloseTo(8 * ball.SPEED_UP, 12)
    expect(state.velocityY).toBe(0)
    expect(state.hits).toBe(1)
    // 6 units to the paddle, a quarter of the tick is left.
    expect(state.ballX).toBeCloseTo(court.FACE_LEFT + 2 * ball.SPEED_UP, 9)
  })

  test('further out sends it off the more steeply, on that side', () => {
    const slopes = [-40, -20, 0, 20, 40].map((offset) => {
      const state = run(flying({ x: 750, y: 300 + offset, vx: 8, vy: 0 }), 1)
      expect(state.velocityX).toBeLessThan(0)
      expect(Math.sqrt(state.velocityX ** 2 + state.velocityY ** 2)).toBeCloseTo(8 * ball.SPEED_UP, 9)
      return state.velocityY / -state.velocityX
    })
    expect(slopes).toEqual([...slopes].sort((a, b) => a - b))
    expect(slopes[0]).toBeCloseTo((-40 / court.REACH) * ball.MAX_SLOPE, 9)
    expect(slopes[4]).toBeCloseTo((40 / court.REACH) * ball.MAX_SLOPE, 9)
  })

  test('at full speed makes the ball no faster', () => {
    const state = run(flying({ x: 50, y: 300, vx: -ball.MAX_SPEED, vy: 0 }), 1)
    expect(state.speed).toBe(ball.MAX_SPEED)
  })

  test('in the corner: paddle, wall and the way back in one tick', () => {
    // Ball, wall and face meet in one point after two thirds of the tick; the paddle's end sends the ball up again.
    const state = run(flying({ x: 60, y: 20, vx: -24, vy: -18 }, [court.PADDLE_TOP, 300]), 1)
    expect(state.hits).toBe(1)
    expect(state.ballX).toBeGreaterThan(court.FACE_LEFT)
    expect(state.ballY).toBeGreaterThan(court.BALL_TOP)
    expect(state.velocityX).toBeGreaterThan(0)
    expect(state.velocityY).toBeGreaterThan(0)
  })

  test('at the very end saves a ball that is past the face already', () => {
    const state = flying({ x: 36, y: 300, vx: -8, vy: 0 }, [300 + court.REACH + 4, 300])
    expect(run({ ...state }, 1).hits).toBe(0)
    const saved = run({ ...state }, 1, UP)
    expect(saved.hits).toBe(1)
    expect(saved.ballX).toBeGreaterThanOrEqual(court.FACE_LEFT)
    expect(saved.velocityX).toBeGreaterThan(0)
    expect(saved.velocityY).toBeLessThan(0)
  })
})

describe('a wall', () => {
  test('mirrors the ball within the tick', () => {
    const state = run(flying({ x: 400, y: 12, vx: 6, vy: -8 }), 1)
    expect(state.ballX).toBeCloseTo(406, 9)
    expect(state.ballY).toBeCloseTo(12, 9)
    expect([state.velocityX, state.velocityY]).toEqual([6, 8])
  })
})

describe('the end', () => {
  test('comes with the last point, and the ball stays where it went in', () => {
    const state = flying({ x: 20, y: 500, vx: -10, vy: 0 }, [100, 100])
    state.pointsToWin = 5
    state.score0 = 4
    state.score1 = 4
    expect(pong.outcome(state)).toBeNull()
    run(state, 2)
    expect(pong.outcome(state)).toEqual({ placements: [2, 1], scores: [4, 5] })
    expect([state.ballX, state.ballY]).toEqual([court.GOAL_LEFT, 500])
    const end = { ...state }
    run(state, 100, UP, DOWN)
    expect(state).toEqual(end)
  })
})

describe('at any speed', () => {
  const paddle = fc.integer({ min: court.PADDLE_TOP, max: court.PADDLE_BOTTOM })
  const ball = fc.record({
    x: fc.double({ min: court.FACE_LEFT + 1, max: court.FACE_RIGHT - 1, noNaN: true }),
    y: fc.double({ min: court.BALL_TOP, max: court.BALL_BOTTOM, noNaN: true }),
    speed: fc.double({ min: 1000, max: 100_000, noNaN: true }),
    slope: fc.double({ min: -3, max: 3, noNaN: true }),
    isLeft: fc.boolean(),
  })

  /** Where a straight way between mirrors is after `distance`: an account of its own, by counting rooms. */
  function mirrored(y: number): { y: number; room: number } {
    const height = court.BALL_BOTTOM - court.BALL_TOP
    const room = Math.floor((y - court.BALL_TOP) / height)
    const within = y - court.BALL_TOP - room * height
    return { y: court.BALL_TOP + (room % 2 === 0 ? within : height - within), room }
  }

  test('the ball does not go through a paddle, and is not stopped by one that is not there', () => {
    let hits = 0
    let misses = 0
    fc.assert(
      fc.property(ball, paddle, paddle, ({ x, y, speed, slope, isLeft }, left, right) => {
        const distance = isLeft ? x - court.FACE_LEFT : court.FACE_RIGHT - x
        const atFace = mirrored(y + slope * distance)
        const atBack = mirrored(y + slope * (distance + court.FACE_LEFT - court.BACK_LEFT))
        const mine = isLeft ? left : right
        const state = flying({ x, y, vx: isLeft ? -speed : speed, vy: slope * speed }, [left, right])
        run(state, 1)
        const offFace = atFace.y - mine
        const offBack = atBack.y - mine
        if (Math.abs(offFace) < court.REACH - 1e-6) {
          hits++
          expect(pong.scores(state)).toEqual([0, 0])
          expect(state.hits).toBe(1)
          expect(isLeft ? state.velocityX > 0 : state.velocityX < 0).toBe(true)
        } else if (atFace.room === atBack.room && Math.min(offFace, offBack) > court.REACH + 1e-6) {
          misses++
          expect(pong.scores(state)).toEqual(isLeft ? [0, 1] : [1, 0])
        } else if (atFace.room === atBack.room && Math.max(offFace, offBack) < -court.REACH - 1e-6) {
          misses++
          expect(pong.scores(state)).toEqual(isLeft ? [0, 1] : [1, 0])
        }
      }),
      { numRuns: 20_000 },
    )
    expect(hits).toBeGreaterThan(2000)
    expect(misses).toBeGreaterThan(2000)
  })

  test('one tick of many bounces ends inside the court', () => {
    for (const vy of [1e4, -1e6, 1e12, Number.MAX_VALUE / 4]) {
      const state = flying({ x: 400, y: 300, vx: 1, vy })
      state.speed = Math.abs(vy)
      run(state, 10)
      expect(state.ballY).toBeGreaterThanOrEqual(court.BALL_TOP)
      expect(state.ballY).toBeLessThanOrEqual(court.BALL_BOTTOM)
      expect(state.ballX).toBeGreaterThanOrEqual(court.GOAL_LEFT)
    }
  })
})
