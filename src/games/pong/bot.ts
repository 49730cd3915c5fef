import { scramble } from '../prng.ts'
import { BALL_BOTTOM, BALL_TOP, FACE_LEFT, FACE_RIGHT, HEIGHT, PADDLE_BOTTOM, PADDLE_TOP, WIDTH } from './court.ts'
import type { PongInput } from './rules.ts'
import type { PongState } from './state.ts'

const UP: PongInput = { move: -1 }
const STAY: PongInput = { move: 0 }
const DOWN: PongInput = { move: 1 }

/** The bot reacts when the ball is nearer than this share of the court's width. */
const SIGHT = 0.7
/** The bot stops this near to its target. It would tremble if this were less than half of what a paddle moves in a tick. */
const CLOSE_ENOUGH = 10
/** The largest error of its aim: `ERROR`, and `ERROR_BY_SPEED` for each unit of the ball's speed. */
const ERROR = 20
const ERROR_BY_SPEED = 6

/** Knows where the ball will arrive, but reacts late, and its aim is worse the faster the ball is: it can be beaten. */
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

/** Where the ball is after it has bounced between the walls, if it would be at `y` without them. */
function folded(y: number): number {
  const room = BALL_BOTTOM - BALL_TOP
  const turns = (y - BALL_TOP) / (2 * room)
  return BALL_TOP + 2 * room * Math.abs(turns - Math.floor(turns + 0.5))
}

/** The error of its aim until the next hit, -1 to 1: the mean of two draws, so small ones are likelier. */
function error(state: PongState, seat: number): number {
  const drawn = scramble(state.rngA ^ scramble(state.hits * 2 + seat))
  return ((drawn >>> 16) + (drawn & 0xffff)) / 0xffff - 1
}
