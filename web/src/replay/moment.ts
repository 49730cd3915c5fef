import { paths } from '../router.tsx'
import type { Playback } from './playback.ts'

/**
 * The moment of a replay that an address names as `?t=`: seconds from the start, or moves in a game of turns. 0 for an address
 * that names none.
 */
export function momentOf(search: string): number {
  const moment = Number(new URLSearchParams(search).get('t'))
  return Number.isFinite(moment) ? Math.max(0, moment) : 0
}

/** The address of a replay at the moment that is shown. */
export function addressOfMoment(matchId: string, { current, pace }: Playback): string {
  // Rounded up, so that it is not in the tick before.
  const moment = Math.ceil((current.tick / pace) * 1000) / 1000
  return `${location.origin}${paths.replay(matchId)}${moment > 0 ? `?t=${moment}` : ''}`
}
