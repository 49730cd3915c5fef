import { z } from 'zod'
import { defineGame } from '../game.ts'
import { connectFourBot } from './bot.ts'
import {
  COLUMNS,
  ConnectFourState,
  cloneConnectFour,
  connectFourOutcome,
  connectFourScores,
  connectFourToMove,
  initConnectFour,
  stepConnectFour,
} from './rules.ts'

export type { ConnectFourInput, ConnectFourOptions, ConnectFourState } from './rules.ts'
export { type Cell, COLUMNS, EMPTY, landing, ROWS } from './rules.ts'

/** Seven columns of six cells. The first player with four discs in a row, a column or a diagonal wins. Turn-based. */
export const connectFour = defineGame({
  name: 'connect-four',
  version: 1,
  seats: 2,
  tickRate: 0,
  options: z.object({ first: z.union([z.literal(0), z.literal(1), z.literal('random')]).default('random') }),
  input: z.object({
    column: z
      .number()
      .int()
      .min(0)
      .max(COLUMNS - 1)
      .nullable(),
  }),
  state: ConnectFourState,
  idle: { column: null },
  inputs: [{ column: null }, ...Array.from({ length: COLUMNS }, (_, column) => ({ column }))],
  init: initConnectFour,
  step: stepConnectFour,
  outcome: connectFourOutcome,
  clone: cloneConnectFour,
  bot: connectFourBot,
  scores: connectFourScores,
  toMove: connectFourToMove,
})
