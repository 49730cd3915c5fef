import type { ComponentType, ReactNode } from 'react'
import type { Replay } from '../../../src/modules/live/types.ts'
import type { Match } from '../../../src/modules/matches/types.ts'
import type { SeatNames } from './seat-names.ts'

export interface StageProps {
  readonly match: Match
  /** The seats of who looks at it: none for a spectator, both for two on one keyboard. */
  readonly mine: readonly number[]
  /** Whether the game is on or about to be. */
  readonly active: boolean
  /** What lies over the game, such as the countdown. */
  readonly overlay: ReactNode
}

export interface ReplayStageProps {
  readonly match: Match
  readonly replay: Replay
}

/** A question about a new match whose answer is one of its options. */
export interface GameChoice {
  /** The name of the option. */
  readonly option: string
  readonly legend: string
  readonly values: readonly (number | string)[]
  /** Which of `values` is chosen at first. */
  readonly preset: number | string
}

/** How the page shows one game. What needs its rules is loaded when it is first shown. */
export interface GameView {
  readonly label: string
  readonly seatNames: SeatNames
  /** What the lobby asks of who starts a match; empty for nothing. */
  readonly choices: readonly GameChoice[]
  /** The options in words, for lists. */
  describe(options: Match['options']): string
  /** The class that limits the page's width to what lets the game be seen whole. */
  readonly fit: string
  readonly Mark: ComponentType
  readonly Stage: ComponentType<StageProps>
  readonly ReplayStage: ComponentType<ReplayStageProps>
  /** Loads what `Stage` needs, ahead of its being shown. */
  preload(): void
}
