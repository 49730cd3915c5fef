import type { EndedMatch } from '../matches/index.ts'
import type { MatchId } from '../wire.ts'
import { drawBracket } from './draw/bracket.ts'
import { type Course, isOver, settle, takeAbsence, takeNoResult, takeResult } from './draw/progress.ts'
import { drawRoundRobin } from './draw/round-robin.ts'
import { bySeed } from './draw/seeding.ts'
import { standingsOf } from './draw/standings.ts'
import type { EntrantRow, TournamentRow } from './tournament-rows.ts'
import type { Pairing } from './types.ts'

// What happens to a running tournament. These functions change the row in place; `changeTournament` stores it.

/** The origin of a match is this and the id of its tournament. */
export const ORIGIN = 'tournament:'

/** Why matches end without a result when players did not come. */
const NOBODY_CAME: ReadonlySet<string | null> = new Set(['no-show', 'nobody-came', 'left'])

/** Gives the seeds and draws the pairings. `ratings` has the rating of each user who has one. */
export function begin(row: TournamentRow, ratings: ReadonlyMap<string, number>): void {
  const rated = row.entrants.map((entrant) => ({ ...entrant, rating: ratings.get(entrant.userId ?? '') ?? null }))
  const seeds = new Map(bySeed(rated).map(({ number }, index) => [number, index + 1]))
  row.entrants = row.entrants.map((entrant) => ({ ...entrant, seed: seeds.get(entrant.number) ?? null }))
  row.pairings = row.format === 'round-robin' ? drawRoundRobin(seeds.size) : drawBracket(seeds.size)
  Object.assign(row, { status: 'running', startedAt: Date.now() })
  goOn(row)
}

/** The match of a pairing is announced: its players have until `comeBy` to come. */
export function announce(pairing: Pairing, matchId: MatchId, comeBy: number): void {
  Object.assign(pairing, { status: 'playing', matchId, matches: pairing.matches + 1, comeBy })
}

/** Takes the end of a match. One that was made again in the meantime, or decided, does not count. */
export function takeEnd(row: TournamentRow, { match }: EndedMatch): void {
  const pairing = row.pairings.find(({ matchId }) => matchId === match.id)
  if (row.status !== 'running' || !pairing || pairing.status === 'decided') return
  const [first, second] = match.players.toSorted((a, b) => a.seat - b.seat)
  const course = courseOf(row)
  if (match.status === 'finished') {
    const winner = match.winnerSeat === null ? null : (pairing.seeds[match.winnerSeat] ?? null)
    takeResult(course, pairing, winner, [first?.score ?? 0, second?.score ?? 0])
  } else if (NOBODY_CAME.has(match.endReason)) {
    const isLeft = match.endReason === 'left'
    const here = match.players.filter(({ connected }) => connected && !isLeft).map(({ userId }) => userId)
    const playing = row.entrants.filter(({ seed }) => pairing.seeds.includes(seed))
    // Nobody has to come to a match whose other player has withdrawn.
    const isExcused = playing.some(({ withdrawn }) => withdrawn)
    const present = playing.filter(({ userId, withdrawn }) => !withdrawn && (isExcused || here.includes(userId)))
    takeAbsence(pairing, new Set(present.map(({ seed }) => seed ?? 0)))
  } else if (pairing.status === 'playing') takeNoResult(course, pairing)
  goOn(row)
}

/** These users lose what is still to be played; null stands for all whose accounts are deleted. A match of theirs counts. */
export function withdraw(row: TournamentRow, userIds: readonly (string | null)[]): void {
  const isGone = ({ userId }: EntrantRow) => userIds.includes(userId)
  row.entrants = row.entrants.map((entrant) => (isGone(entrant) ? { ...entrant, withdrawn: true } : entrant))
  for (const pairing of row.pairings) {
    // Nobody waits for a player who will not come.
    const isTheirs = row.entrants.some((entrant) => isGone(entrant) && pairing.seeds.includes(entrant.seed))
    if (isTheirs && pairing.status === 'playing') pairing.comeBy = Date.now()
  }
  goOn(row)
}

export interface PairingPlace {
  readonly round: number
  readonly slot: number
}

export function pairingAt({ pairings }: TournamentRow, { round, slot }: PairingPlace): Pairing | undefined {
  return pairings.find((pairing) => pairing.round === round && pairing.slot === slot)
}

function courseOf({ format, pairings, entrants }: TournamentRow): Course {
  const withdrawn = entrants.filter((entrant) => entrant.withdrawn).map(({ seed }) => seed ?? 0)
  return { format, pairings, withdrawn: new Set(withdrawn) }
}

function goOn(row: TournamentRow): void {
  if (row.status !== 'running') return
  settle(courseOf(row))
  if (!isOver(row)) return
  const standings = standingsOf(row.format, row.entrants.length, row.pairings)
  const winnerSeed = standings.find(({ place }) => place === 1)?.seed ?? null
  Object.assign(row, { status: 'finished', winnerSeed, finishedAt: Date.now() })
}
