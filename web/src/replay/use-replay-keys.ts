import { useEffect } from 'react'
import { nextPlace, previousPlace } from './places.ts'
import type { Playback } from './playback.ts'
import type { Point } from './recording.ts'

/** The keys of a replay, wherever on the page the focus is, unless it is on something that has a use for them. */
export function useReplayKeys(playback: Playback, points: readonly Point[]): void {
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return
      const act = actionOf(event.key, playback, points)
      if (!act) return
      event.preventDefault()
      act()
    }
    addEventListener('keydown', down)
    return () => removeEventListener('keydown', down)
  }, [playback, points])
}

/** What a key does; null for nothing. */
function actionOf(key: string, playback: Playback, points: readonly Point[]): (() => void) | null {
  const second = playback.pace
  const { tick } = playback.state
  switch (key) {
    case ' ':
    case 'k':
      return () => playback.toggle(performance.now())
    case 'ArrowLeft':
    case 'ArrowDown':
      return () => playback.seek(playback.position - second)
    case 'ArrowRight':
    case 'ArrowUp':
      return () => playback.seek(playback.position + second)
    case ',':
      return () => playback.seek(tick - 1)
    case '.':
      return () => playback.seek(tick + 1)
    case 'PageUp':
      return () => playback.seek(previousPlace(playback, points))
    case 'PageDown':
      return () => playback.seek(nextPlace(playback, points))
    case 'Home':
      return () => playback.seek(0)
    case 'End':
      return () => playback.seek(playback.ticks)
    default:
      return null
  }
}

/** Up, down and the pages scroll, where the bar does not have the focus; a button has the space bar for itself. */
function isTaken({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false
  const isOwnBar = target.dataset.testid === 'replay-seek'
  if (isOwnBar) return false
  if (target instanceof HTMLInputElement || target.closest('dialog')) return true
  if (/^(ArrowUp|ArrowDown|Page|Home|End)/.test(key)) return true
  return key === ' ' && target.closest('button, a') !== null
}
