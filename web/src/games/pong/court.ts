import { HEIGHT, WIDTH } from '../../../../src/games/pong/geometry.ts'
import type { PongState } from '../../../../src/games/pong/rules.ts'

/** What is drawn of a state. */
export type Court = Pick<PongState, 'paddle0' | 'paddle1' | 'ballX' | 'ballY' | 'pause'>

/** The court before there is a state: the ball is not on it, and does not show through a countdown. */
export const emptyCourt: Court = {
  paddle0: HEIGHT / 2,
  paddle1: HEIGHT / 2,
  ballX: -WIDTH,
  ballY: HEIGHT / 2,
  pause: 1,
}
