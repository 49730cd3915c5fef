import { type ComponentType, lazy } from 'react'
import type { GameView } from './game-view.ts'

/** The parts of a view that come in files of their own, when they are first shown. */
export function loadView(
  loadStage: () => Promise<GameView['Stage']>,
  loadReplay: () => Promise<GameView['ReplayStage']>,
): Pick<GameView, 'Stage' | 'ReplayStage' | 'preload'> {
  return {
    Stage: later(loadStage),
    ReplayStage: later(loadReplay),
    // Should it fail, it is tried again, and told of, when it is shown.
    preload: () => void loadStage().catch(() => undefined),
  }
}

function later<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  return lazy(async () => ({ default: await load() }))
}
