import { connectFour } from './connect-four/index.ts'
import type { AnyGame } from './game.ts'
import { pong } from './pong/index.ts'

/** Every game that this build can run, by its name. */
export const games = {
  pong,
  'connect-four': connectFour,
} as const satisfies Readonly<Record<string, AnyGame>>

export type GameName = keyof typeof games

export const gameNames = Object.keys(games) as [GameName, ...GameName[]]

export function isGameName(name: string): name is GameName {
  return Object.hasOwn(games, name)
}
