import { scramble } from '../prng.ts'
import { BALL_BOTTOM, BALL_TOP, FACE_LEFT, FACE_RIGHT, HEIGHT, PADDLE_BOTTOM, PADDLE_TOP, WIDTH } from './court.ts'
import type { PongInput } from './rules.ts'
import type { PongState } from './state.ts'

const UP: PongInput = { move: -1 }
const STAY: PongInput = { move: 0 }
const DOWN: PongInput = { move: 1 }

/** Of the court's width: how near the ball must be before the bot runs to where it will arrive. */
const SIGHT = 0.7
/** The bot stops this near to where it wants to be; more than half a paddle's tick, or it would tremble. */
const CLOSE_ENOUGH = 10
/** The largest error of its aim: this, and this much more for each unit a tick of the ball's speed. */
const ERROR = 20
const ERROR_BY_SPEED = 6

/**
 * A decent opponent that can be beaten: it knows where the ball will arrive, walls included, but looks up late and aims
 * the worse the faster the ball is. Its error is drawn anew for each hit, from the state, so between two hits it makes
 * up its mind once: it runs, and stands.
 */
export function pongBot(state: PongState, seat: number): PongInput {
  const paddle = seat === 0 ? state.paddle0 : state.paddle1
  const away = target(state, seat) - paddle
  if (Math.abs(away) <= CLOSE_ENOUGH) return STAY
  return away < 0 ? UP : DOWN
}

/** The y where the bot wants its paddle's centre. */
function target(state: PongState, seat: number): number {
  const isComing = seat === 0 ? state.velocityX < 0 : state.velocityX > 0
  if (!isComing || state.pause > 0) return HEIGHT / 2
  const face = seat === 0 ? FACE_LEFT : FACE_RIGHT
  const distance = Math.abs(face - state.ballX)
  if (distance > WIDTH * SIGHT) return HEIGHT / 2
  const arrival = folded(state.ballY + (state.velocityY / Math.abs(state.velocityX)) * distance)
  const wanted = arrival + error(state, seat) * (ERROR + ERROR_BY_SPEED * state.speed)
  return Math.max(PADDLE_TOP, Math.min(PADDLE_BOTTOM, wanted))
}

/** Where a y beyond the walls comes back to after bouncing between them. */
function folded(y: number): number {
  const room = BALL_BOTTOM - BALL_TOP
  const turns = (y - BALL_TOP) / (2 * room)
  return BALL_TOP + 2 * room * Math.abs(turns - Math.floor(turns + 0.5))
}

/** The error of this flight's aim, from -1 to 1, small ones likelier: the mean of two draws. */
function error(state: PongState, seat: number): number {
  const drawn = scramble(state.rngA ^ scramble(state.hits * 2 + seat))
  return ((drawn >>> 16) + (drawn & 0xffff)) / 0xffff - 1
}
