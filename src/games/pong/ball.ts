import { nextFloat } from '../prng.ts'
import * as court from './court.ts'
import type { PongState } from './state.ts'

/** How fast the ball is served, and how fast it gets at most; units a tick. */
export const START_SPEED = 7.5
export const MAX_SPEED = 18
/** Each hit multiplies the ball's speed by this. */
export const SPEED_UP = 1.06

/** The slope (dy / dx) at which the ball leaves the very end of a paddle; the middle sends it straight back. */
export const MAX_SLOPE = 1.25
/** The slope of a serve is between these, up or down. */
export const MIN_SERVE_SLOPE = 0.1
export const MAX_SERVE_SLOPE = 0.6

/** How many ticks the ball waits in the centre before a serve. */
export const SERVE_PAUSE = 54
/** Bounds the contacts of the ball in a tick. At `MAX_SPEED` there are two at most. */
const MAX_CONTACTS = 8

/** A player has all points: nothing moves any more. */
export function isOver(state: PongState): boolean {
  return state.score0 >= state.pointsToWin || state.score1 >= state.pointsToWin
}

/** Moves the ball by a tick, from contact to contact, so that it passes through nothing at any speed. */
export function moveBall(state: PongState): void {
  let left = 1
  for (let contacts = 0; contacts < MAX_CONTACTS && left > 0; contacts++) {
    const seat = state.velocityX < 0 ? 0 : 1
    const toWall = timeToEdge(state.ballY, state.velocityY, court.BALL_TOP, court.BALL_BOTTOM)
    const toGoal = timeToEdge(state.ballX, state.velocityX, court.GOAL_LEFT, court.GOAL_RIGHT)
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
      state.ballY = state.velocityY < 0 ? court.BALL_TOP : court.BALL_BOTTOM
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
  state.ballX = Math.min(court.GOAL_RIGHT, Math.max(court.GOAL_LEFT, x))
  state.ballY = Math.min(court.BALL_BOTTOM, Math.max(court.BALL_TOP, y))
}

/** When the ball, at `at` in x or y, reaches the edge that it moves to; infinity for never. */
function timeToEdge(at: number, velocity: number, low: number, high: number): number {
  if (velocity === 0) return Number.POSITIVE_INFINITY
  return ((velocity < 0 ? low : high) - at) / velocity
}

/**
 * When the ball touches the paddle of `seat`, to which it flies; infinity for never. The ball is a point, the paddle is
 * larger by its size (the slab test for a ray and a box). Right only up to the next wall.
 */
function timeToPaddle(state: PongState, seat: 0 | 1): number {
  const { ballX, ballY, velocityX, velocityY } = state
  if (velocityX === 0) return Number.POSITIVE_INFINITY
  const face = seat === 0 ? court.FACE_LEFT : court.FACE_RIGHT
  const back = seat === 0 ? court.BACK_LEFT : court.BACK_RIGHT
  const paddle = seat === 0 ? state.paddle0 : state.paddle1
  let enter = Math.max(0, (face - ballX) / velocityX)
  let exit = (back - ballX) / velocityX
  if (velocityY === 0) {
    if (Math.abs(ballY - paddle) > court.REACH) return Number.POSITIVE_INFINITY
  } else {
    const reach = velocityY < 0 ? -court.REACH : court.REACH
    enter = Math.max(enter, (paddle - reach - ballY) / velocityY)
    exit = Math.min(exit, (paddle + reach - ballY) / velocityY)
  }
  return enter <= exit ? enter : Number.POSITIVE_INFINITY
}

/** Sends the ball back from the face of the paddle, also when the paddle's end has touched it. */
function hit(state: PongState, seat: 0 | 1): void {
  const paddle = seat === 0 ? state.paddle0 : state.paddle1
  const offset = Math.max(-1, Math.min(1, (state.ballY - paddle) / court.REACH))
  state.ballX = seat === 0 ? court.FACE_LEFT : court.FACE_RIGHT
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
export function prepareServe(state: PongState, seat: 0 | 1): void {
  state.ballX = court.WIDTH / 2
  state.ballY = court.HEIGHT / 2
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
