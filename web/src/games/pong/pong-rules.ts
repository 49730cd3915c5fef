import { HEIGHT, TICK_RATE, WIDTH } from '../../../../src/games/pong/geometry.ts'
import type { PongInput, PongState } from '../../../../src/games/pong/rules.ts'
import type { SourceRules } from '../../play/game-source.ts'

/** What is drawn of a state. */
export type Court = Pick<PongState, 'paddle0' | 'paddle1' | 'ballX' | 'ballY' | 'pause'>

/** The court before the first frame. */
export const emptyCourt: Court = {
  paddle0: HEIGHT / 2,
  paddle1: HEIGHT / 2,
  ballX: WIDTH / 2,
  ballY: HEIGHT / 2,
  pause: 1,
}

/** What of Pong comes over the wire and is needed here. */
export type PongFrame = Court & Pick<PongState, 'score0' | 'score1'>

export const pongRules: SourceRules<PongFrame, PongInput> = {
  tickRate: TICK_RATE,
  idle: { move: 0 },
  read: (value) => (isPongFrame(value) ? value : null),
  blend,
  isSame: (one, other) => one.move === other.move,
}

function isPongFrame(value: unknown): value is PongFrame {
  if (typeof value !== 'object' || value === null) return false
  const record: Partial<Record<keyof PongFrame, unknown>> = value
  return (
    typeof record.paddle0 === 'number' &&
    typeof record.paddle1 === 'number' &&
    typeof record.ballX === 'number' &&
    typeof record.ballY === 'number' &&
    typeof record.pause === 'number' &&
    typeof record.score0 === 'number' &&
    typeof record.score1 === 'number'
  )
}

function blend(from: PongFrame, to: PongFrame, part: number): PongFrame {
  const between = (a: number, b: number) => a + (b - a) * part
  // After a point the ball is back in the centre: it did not fly there.
  const isServe = to.pause > from.pause
  return {
    ...from,
    paddle0: between(from.paddle0, to.paddle0),
    paddle1: between(from.paddle1, to.paddle1),
    ballX: isServe ? from.ballX : between(from.ballX, to.ballX),
    ballY: isServe ? from.ballY : between(from.ballY, to.ballY),
  }
}
