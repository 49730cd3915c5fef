import { HEIGHT } from '../../../../src/games/pong/geometry.ts'
import { type PongInput, type PongOptions, type PongState, pong } from '../../../../src/games/pong/index.ts'
import type { PlayedGame } from '../../play/use-play.ts'

/** Pong by its rules, and what of it moves. A ball that is further away was served: it did not fly there. */
export const playedPong: PlayedGame<PongState, PongInput, PongOptions> = {
  game: pong,
  smooth: { paddle0: HEIGHT, paddle1: HEIGHT, ballX: 200, ballY: 200 },
}
