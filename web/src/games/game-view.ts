import type { ComponentType, ReactNode } from 'react'
import type { Match } from '../../../src/modules/matches/types.ts'

export interface StageProps {
  readonly match: Match
  /** The seats of who looks at it: none for a spectator, both for two on one keyboard. */
  readonly mine: readonly number[]
  /** Whether the game is on or about to be: it follows the server's frames then. */
  readonly active: boolean
  /** What lies over the game, such as the countdown. */
  readonly overlay: ReactNode
}

/** How the page shows one game. */
export interface GameView {
  readonly label: string
  /** What tells the seats apart, to be read after `You are` and before `wins`. */
  readonly seatNames: readonly [string, string]
  /** The options in words, for lists. */
  describe(options: Match['options']): string
  /** The class that limits the page's width to what lets the game be seen whole. */
  readonly fit: string
  readonly Stage: ComponentType<StageProps>
  readonly Mark: ComponentType
}
