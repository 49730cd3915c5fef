import { connectFour } from './connect-four/index.ts'
import type { AnyGame } from './game.ts'
import { pong } from './pong/index.ts'

/** Every game of this application, by its name. */
export const games = {
  pong,
  'connect-four': connectFour,
} as const satisfies Readonly<Record<string, AnyGame>>

export type GameName = keyof typeof games
