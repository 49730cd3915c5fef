import type { DecidedBy, Pairing, TournamentFormat } from '../types.ts'

/** A running tournament, as its course needs it. The functions of this file change `pairings` in place. */
export interface Course {
  readonly format: TournamentFormat
  /** By round and slot. */
  readonly pairings: Pairing[]
  /** The seeds of the players who lose whatever they have not begun. */
  readonly withdrawn: ReadonlySet<number>
}

/** How many matches are made for one pairing, where they are drawn or end without a result. */
export const MAX_MATCHES = 3

export function decide(
  pairing: Pairing,
  winner: number | null,
  decidedBy: DecidedBy,
  scores: Pairing['scores'] = null,
): void {
  Object.assign(pairing, { status: 'decided', winner, decidedBy, scores, comeBy: null })
}

/** Takes the result of a pairing's match. A draw counts in a round robin; in a bracket it is played again. */
export function takeResult(course: Course, pairing: Pairing, winner: number | null, scores: [number, number]): void {
  if (winner !== null || course.format === 'round-robin') decide(pairing, winner, 'result', scores)
  else if (pairing.matches < MAX_MATCHES) playAgain(pairing)
  else decide(pairing, betterSeed(pairing), 'seed', scores)
}

/** The match of a pairing ended without a result: it is made again, or decided without one. */
export function takeNoResult(course: Course, pairing: Pairing): void {
  if (pairing.matches < MAX_MATCHES) playAgain(pairing)
  else if (course.format === 'round-robin') decide(pairing, null, 'unplayed')
  else decide(pairing, betterSeed(pairing), 'seed')
}

/** Some players of a pairing did not come: they lose, and whoever is in `present` wins. */
export function takeAbsence(pairing: Pairing, present: ReadonlySet<number>): void {
  decide(pairing, pairing.seeds.find((seed) => seed !== null && present.has(seed)) ?? null, 'forfeit')
}

/** Moves winners on, decides what needs no match, and makes ready what can be played. Running it twice changes nothing. */
export function settle(course: Course): void {
  const { format, pairings } = course
  const at = new Map(pairings.map((pairing) => [`${pairing.round}/${pairing.slot}`, pairing]))
  /** The seeds of players who have not finished an earlier round. */
  const busy = new Set<number>()
  for (const pairing of pairings) {
    const { round, slot, status } = pairing
    const feeders =
      format === 'single-elimination' && round > 1 ? [0, 1].map((of) => at.get(`${round - 1}/${slot * 2 + of}`)) : []
    const [first, second] = feeders
    if (first && second) pairing.seeds = [first.winner, second.winner]
    const isKnown = feeders.every((feeder) => feeder?.status === 'decided')
    if (isKnown && (status === 'pending' || status === 'ready')) settlePairing(course, pairing, busy)
    if (pairing.status !== 'decided') for (const seed of pairing.seeds) if (seed !== null) busy.add(seed)
  }
}

function settlePairing({ withdrawn }: Course, pairing: Pairing, busy: ReadonlySet<number>): void {
  const known = pairing.seeds.filter((seed) => seed !== null)
  const present = known.filter((seed) => !withdrawn.has(seed))
  if (present.length === 2) pairing.status = present.some((seed) => busy.has(seed)) ? 'pending' : 'ready'
  else if (known.length === 2 || present.length < known.length) takeAbsence(pairing, new Set(present))
  else decide(pairing, present[0] ?? null, 'bye')
}

export function isOver({ pairings }: Pick<Course, 'pairings'>): boolean {
  return pairings.every(({ status }) => status === 'decided')
}

function playAgain(pairing: Pairing): void {
  Object.assign(pairing, { status: 'pending', comeBy: null })
}

function betterSeed({ seeds }: Pairing): number | null {
  const known = seeds.filter((seed) => seed !== null)
  return known.length === 0 ? null : Math.min(...known)
}
