import { z } from 'zod'
import { defineGame } from '../game.ts'
import { pongBot } from './bot.ts'
import { HEIGHT, TICK_RATE } from './court.ts'
import { clonePong, initPong, pongOutcome, pongScores, stepPong } from './rules.ts'
import { PongState } from './state.ts'

export type { PongInput, PongOptions } from './rules.ts'
export type { PongState } from './state.ts'

/** Two paddles and a ball; who first has `pointsToWin` points wins. What to draw is in `court.ts`. */
export const pong = defineGame({
  name: 'pong',
  version: 1,
  seats: 2,
  tickRate: TICK_RATE,
  options: z.object({ pointsToWin: z.number().int().min(1).max(21).default(11) }),
  input: z.object({ move: z.union([z.literal(-1), z.literal(0), z.literal(1)]) }),
  state: PongState,
  idle: { move: 0 },
  inputs: [{ move: 0 }, { move: -1 }, { move: 1 }],
  smooth: { paddle0: HEIGHT, paddle1: HEIGHT, ballX: 200, ballY: 200 },
  init: initPong,
  step: stepPong,
  outcome: pongOutcome,
  clone: clonePong,
  bot: pongBot,
  scores: pongScores,
})
