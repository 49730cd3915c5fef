import { later } from '../ui/later.tsx'
import type { GameView } from './game-view.ts'

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
