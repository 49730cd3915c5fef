import type { ComponentType, ReactNode } from 'react'
import type { Replay } from '../../../src/modules/live/types.ts'
import type { Match } from '../../../src/modules/matches/types.ts'
import { later } from '../ui/error-boundaries.tsx'

/** The names of the two seats, as in `Left wins`. */
export type SeatNames = readonly [string, string]

export const PONG_SEATS: SeatNames = ['Left', 'Right']
export const CONNECT_FOUR_SEATS: SeatNames = ['Orange', 'Blue']

export interface StageProps {
  readonly match: Match
  /** The viewer's seats: none for a spectator, both for two on one keyboard. */
  readonly mine: readonly number[]
  /** Whether the match is live or its countdown runs. */
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
  /** What the lobby asks before it creates a match. */
  readonly choices: readonly GameChoice[]
  /** The options in words, for lists. */
  describe(options: Match['options']): string
  /** The class that limits the page's width, so that the whole game fits into the window. */
  readonly fit: string
  readonly Mark: ComponentType
  readonly Stage: ComponentType<StageProps>
  readonly ReplayStage: ComponentType<ReplayStageProps>
  /** Loads what `Stage` needs before it is shown. */
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
    // `Stage` loads again, and tells of a failure, when it is shown.
    preload: () => void loadStage().catch(() => undefined),
  }
}
