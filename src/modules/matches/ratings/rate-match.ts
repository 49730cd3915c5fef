import { type Game, type Glicko, rate, UNRATED } from './glicko2.ts'

/** How long a rating period is. By it an idle deviation grows: from 50 to about 100 in a year. */
const PERIOD_MS = 5 * 24 * 3_600_000

/** A player of a ranked match, with the rating before it. */
export interface RankedPlayer {
  /** 1 is best, equal ones share. */
  readonly placement: number
  readonly glicko: Glicko
  /** How long the last ranked match was ago, ms; 0 for the first one. */
  readonly idleMs: number
}

/**
 * The ratings after a match, in the order of its players. The match counts as one rating period for each of them, in which they
 * played one game against each other player: won against those with a worse placement, drawn against an equal one.
 */
export function rateMatch(players: readonly RankedPlayer[]): Glicko[] {
  const now = players.map(({ glicko, idleMs }) => rate(glicko, [], Math.max(0, idleMs) / PERIOD_MS))
  return players.map(({ placement }, index) => {
    const games: Game[] = []
    for (const [other, { placement: theirs }] of players.entries()) {
      const opponent = now[other]
      if (other !== index && opponent) games.push({ opponent, score: scoreOf(placement, theirs) })
    }
    // Idle time has made the deviation grow already.
    return rate(now[index] ?? UNRATED, games, 0)
  })
}

function scoreOf(own: number, theirs: number): number {
  if (own === theirs) return 0.5
  return own < theirs ? 1 : 0
}
