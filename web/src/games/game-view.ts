import type { ComponentType, ReactNode } from 'react'
import type { Replay } from '../../../src/modules/live/types.ts'
import type { Match } from '../../../src/modules/matches/types.ts'
import { later } from '../ui/error-boundaries.tsx'

/** What tells the seats of a game apart, to be read after `You are` and before `wins`. */
export type SeatNames = readonly [string, string]

export const PONG_SEATS: SeatNames = ['Left', 'Right']
export const CONNECT_FOUR_SEATS: SeatNames = ['Orange', 'Blue']

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
interface GameChoice {
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

/** The parts of a view that come in files of their own, when they are first shown. */
export function loadView(
  loadStage: () => Promise<GameView['Stage']>,
  loadReplay: () => Promise<GameView['ReplayStage']>,
): Pick<GameView, 'Stage' | 'ReplayStage' | 'preload'> {
  return {
    Stage: later(loadStage, 'Getting the game ready…'),
    ReplayStage: later(loadReplay, 'Getting the game ready…'),
    // Should it fail, it is tried again, and told of, when it is shown.
    preload: () => void loadStage().catch(() => undefined),
  }
}
