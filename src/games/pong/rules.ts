import type { Outcome } from '../game.ts'
import { nextFloat, nextUint32, type PrngState, seedPrng } from '../prng.ts'
import {
  BACK_LEFT,
  BACK_RIGHT,
  BALL_BOTTOM,
  BALL_TOP,
  FACE_LEFT,
  FACE_RIGHT,
  GOAL_LEFT,
  GOAL_RIGHT,
  HEIGHT,
  MAX_SERVE_SLOPE,
  MAX_SLOPE,
  MAX_SPEED,
  MIN_SERVE_SLOPE,
  PADDLE_BOTTOM,
  PADDLE_SPEED,
  PADDLE_TOP,
  REACH,
  SERVE_PAUSE,
  SPEED_UP,
  START_SPEED,
  WIDTH,
} from './geometry.ts'

/** A flat object of numbers: cheap to clone, hash and send. Positions and speeds are as `geometry.ts` says. */
export interface PongState extends PrngState {
  pointsToWin: number
  score0: number
  score1: number
  paddle0: number
  paddle1: number
  ballX: number
  ballY: number
  /** Where the ball goes once `pause` is over; the next serve can be seen in it during the pause. */
  velocityX: number
  velocityY: number
  /** The length of the velocity: units a tick. */
  speed: number
  /** Hits since the serve. */
  hits: number
  /** Ticks until the ball is served; 0 while it flies. */
  pause: number
}

export interface PongInput {
  /** -1 up, 1 down. */
  readonly move: -1 | 0 | 1
}

export interface PongOptions {
  readonly pointsToWin: number
}

/** At `MAX_SPEED` the ball meets at most two things in a tick; a tick's way ends at the last of these. */
const MAX_CONTACTS = 8

export function initPong({ seed, options }: { seed: number; options: PongOptions }): PongState {
  const prng = seedPrng(seed)
  const state: PongState = {
    rngA: prng.rngA,
    rngB: prng.rngB,
    rngC: prng.rngC,
    rngD: prng.rngD,
    pointsToWin: options.pointsToWin,
    score0: 0,
    score1: 0,
    paddle0: HEIGHT / 2,
    paddle1: HEIGHT / 2,
    ballX: WIDTH / 2,
    ballY: HEIGHT / 2,
    velocityX: 0,
    velocityY: 0,
    speed: START_SPEED,
    hits: 0,
    pause: SERVE_PAUSE,
  }
  prepareServe(state, nextUint32(state) < 0x8000_0000 ? 0 : 1)
  return state
}

/** Field by field: in V8 a literal is made ten times as fast as a spread. */
export function clonePong(state: PongState): PongState {
  return {
    rngA: state.rngA,
    rngB: state.rngB,
    rngC: state.rngC,
    rngD: state.rngD,
    pointsToWin: state.pointsToWin,
    score0: state.score0,
    score1: state.score1,
    paddle0: state.paddle0,
    paddle1: state.paddle1,
    ballX: state.ballX,
    ballY: state.ballY,
    velocityX: state.velocityX,
    velocityY: state.velocityY,
    speed: state.speed,
    hits: state.hits,
    pause: state.pause,
  }
}

/** Moves the paddles, then the ball against the moved paddles. Changes nothing once the game is over. */
export function stepPong(state: PongState, inputs: readonly PongInput[]): void {
  if (isOver(state)) return
  state.paddle0 = movedPaddle(state.paddle0, inputs[0])
  state.paddle1 = movedPaddle(state.paddle1, inputs[1])
  if (state.pause > 0) state.pause -= 1
  else moveBall(state)
}

export function pongOutcome(state: PongState): Outcome | null {
  if (!isOver(state)) return null
  return { winnerSeat: state.score0 > state.score1 ? 0 : 1, scores: pongScores(state) }
}

export function pongScores(state: PongState): readonly number[] {
  return [state.score0, state.score1]
}

function isOver(state: PongState): boolean {
  return state.score0 >= state.pointsToWin || state.score1 >= state.pointsToWin
}

function movedPaddle(y: number, input: PongInput | undefined): number {
  if (input === undefined || input.move === 0) return y
  return input.move < 0 ? Math.max(PADDLE_TOP, y - PADDLE_SPEED) : Math.min(PADDLE_BOTTOM, y + PADDLE_SPEED)
}

/** One tick's way of the ball, from contact to contact, so that no speed takes it through anything. */
function moveBall(state: PongState): void {
  let left = 1
  for (let contacts = 0; contacts < MAX_CONTACTS && left > 0; contacts++) {
    const seat = state.velocityX < 0 ? 0 : 1
    const toWall = timeToWall(state)
    const toGoal = timeToGoal(state)
    const toPaddle = timeToPaddle(state, seat)

    if (toPaddle <= left && toPaddle <= toWall && toPaddle <= toGoal) {
      travel(state, toPaddle)
      hit(state, seat)
      left -= toPaddle
    } else if (toGoal <= left && toGoal <= toWall) {
      travel(state, toGoal)
      point(state, seat)
      return
    } else if (toWall <= left) {
      travel(state, toWall)
      state.ballY = state.velocityY < 0 ? BALL_TOP : BALL_BOTTOM
      state.velocityY = -state.velocityY
      left -= toWall
    } else {
      travel(state, left)
      return
    }
  }
}

function travel(state: PongState, ticks: number): void {
  const x = state.ballX + state.velocityX * ticks
  const y = state.ballY + state.velocityY * ticks
  state.ballX = Math.min(GOAL_RIGHT, Math.max(GOAL_LEFT, x))
  state.ballY = Math.min(BALL_BOTTOM, Math.max(BALL_TOP, y))
}

function timeToWall(state: PongState): number {
  if (state.velocityY < 0) return (BALL_TOP - state.ballY) / state.velocityY
  if (state.velocityY > 0) return (BALL_BOTTOM - state.ballY) / state.velocityY
  return Number.POSITIVE_INFINITY
}

function timeToGoal(state: PongState): number {
  if (state.velocityX < 0) return (GOAL_LEFT - state.ballX) / state.velocityX
  if (state.velocityX > 0) return (GOAL_RIGHT - state.ballX) / state.velocityX
  return Number.POSITIVE_INFINITY
}

/**
 * When the ball, flying towards `seat`, first touches its paddle, at the face or at an end; infinity for never. The
 * ball is a point against the paddle grown by the ball's size (the slab test for a ray and a box). Good up to the next
 * wall only.
 */
function timeToPaddle(state: PongState, seat: 0 | 1): number {
  const { ballX, ballY, velocityX, velocityY } = state
  if (velocityX === 0) return Number.POSITIVE_INFINITY
  const face = seat === 0 ? FACE_LEFT : FACE_RIGHT
  const back = seat === 0 ? BACK_LEFT : BACK_RIGHT
  const paddle = seat === 0 ? state.paddle0 : state.paddle1
  let enter = Math.max(0, (face - ballX) / velocityX)
  let exit = (back - ballX) / velocityX
  if (velocityY === 0) {
    if (Math.abs(ballY - paddle) > REACH) return Number.POSITIVE_INFINITY
  } else {
    const reach = velocityY < 0 ? -REACH : REACH
    enter = Math.max(enter, (paddle - reach - ballY) / velocityY)
    exit = Math.min(exit, (paddle + reach - ballY) / velocityY)
  }
  return enter <= exit ? enter : Number.POSITIVE_INFINITY
}

/** Sends the ball back from where it touched the paddle; one saved at the paddle's end comes out at its face. */
function hit(state: PongState, seat: 0 | 1): void {
  const paddle = seat === 0 ? state.paddle0 : state.paddle1
  const offset = Math.max(-1, Math.min(1, (state.ballY - paddle) / REACH))
  state.ballX = seat === 0 ? FACE_LEFT : FACE_RIGHT
  state.speed = Math.min(MAX_SPEED, state.speed * SPEED_UP)
  state.hits += 1
  aim(state, seat === 0 ? 1 : -1, offset * MAX_SLOPE)
}

/** The ball reached the goal line of `seat`: the other one has a point. */
function point(state: PongState, seat: 0 | 1): void {
  if (seat === 0) state.score1 += 1
  else state.score0 += 1
  if (isOver(state)) {
    // The ball stays where it went in.
    state.velocityX = 0
    state.velocityY = 0
  } else prepareServe(state, seat)
}

/** Puts the ball in the centre, to be served towards `seat` after the pause. */
function prepareServe(state: PongState, seat: 0 | 1): void {
  state.ballX = WIDTH / 2
  state.ballY = HEIGHT / 2
  state.speed = START_SPEED
  state.hits = 0
  state.pause = SERVE_PAUSE
  const drawn = nextFloat(state) * 2 - 1
  const slope = MIN_SERVE_SLOPE + Math.abs(drawn) * (MAX_SERVE_SLOPE - MIN_SERVE_SLOPE)
  aim(state, seat === 0 ? -1 : 1, drawn < 0 ? -slope : slope)
}

function aim(state: PongState, direction: -1 | 1, slope: number): void {
  const along = state.speed / Math.sqrt(1 + slope * slope)
  state.velocityX = direction * along
  state.velocityY = slope * along
}
