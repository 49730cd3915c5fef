import { z } from 'zod'
import { oneLine } from '../shown-text.ts'
import { MatchId, Timestamp, UserId } from '../wire.ts'

export const TournamentId = z.string().min(1).max(40).brand<'TournamentId'>()
export type TournamentId = z.infer<typeof TournamentId>

export const TournamentFormat = z.enum(['single-elimination', 'round-robin'])
export type TournamentFormat = z.infer<typeof TournamentFormat>

/** How many players a tournament of each format has. In a round robin everybody plays everybody: 16 play 120 matches. */
export const TOURNAMENT_SIZES = {
  'single-elimination': { min: 4, max: 64 },
  'round-robin': { min: 3, max: 16 },
} as const satisfies Record<TournamentFormat, { readonly min: number; readonly max: number }>

export const TournamentName = oneLine(3, 60)

export const TournamentStatus = z.enum(['open', 'running', 'finished', 'cancelled'])
export type TournamentStatus = z.infer<typeof TournamentStatus>

/** Somebody who takes part. */
export const Entrant = z.object({
  /** Null once the account is deleted. */
  userId: UserId.nullable(),
  username: z.string().nullable(),
  displayName: z.string(),
  /** From 1, the best first. Null until the start. */
  seed: z.number().int().nullable(),
  /** The player left the running tournament, or is banned, and loses what is still to be played. */
  withdrawn: z.boolean(),
})
export type Entrant = z.infer<typeof Entrant>

/**
 * `pending`: its players are not known, or still play an earlier round. `ready`: its match is being made. `playing`: its
 * match is announced. `decided`: it is over.
 */
export const PairingStatus = z.enum(['pending', 'ready', 'playing', 'decided'])
export type PairingStatus = z.infer<typeof PairingStatus>

/**
 * `result`: of its match. `forfeit`: a player did not come, left or is banned; without a winner both. `bye`: there was no
 * opponent. `seed`: no match gave a winner, so the better seed goes on. `unplayed`: no match gave a result; it is a draw.
 */
export const DecidedBy = z.enum(['result', 'forfeit', 'bye', 'seed', 'unplayed'])
export type DecidedBy = z.infer<typeof DecidedBy>

/** Two players who meet. */
export const Pairing = z.object({
  /** From 1. */
  round: z.number().int(),
  /** From 0. In a bracket the winner of slot `s` goes on to slot `s / 2`, rounded down, of the next round. */
  slot: z.number().int(),
  /** The seeds of the two players; null where nobody is, or it is not known yet. The first one has seat 0. */
  seeds: z.tuple([z.number().int().nullable(), z.number().int().nullable()]),
  status: PairingStatus,
  /** The seed of the winner. Of a decided pairing null: a draw, or nobody. */
  winner: z.number().int().nullable(),
  decidedBy: DecidedBy.nullable(),
  scores: z.tuple([z.number().int(), z.number().int()]).nullable(),
  /** Its newest match. */
  matchId: MatchId.nullable(),
  /** How many matches were made for it. */
  matches: z.number().int(),
  /** Until when its players have to come to a match that has not begun. */
  comeBy: Timestamp.nullable(),
})
export type Pairing = z.infer<typeof Pairing>

/** How a player stands. */
export const Standing = z.object({
  seed: z.number().int(),
  /** 1 is best. In a bracket those who lost in the same round share it; null while the player is in. */
  place: z.number().int().nullable(),
  won: z.number().int(),
  drawn: z.number().int(),
  lost: z.number().int(),
  /** Of a round robin: 2 for a win, 1 for a draw. */
  points: z.number().int(),
  /** The sum of the player's scores minus that of the opponents'. */
  scoreDifference: z.number().int(),
})
export type Standing = z.infer<typeof Standing>

/** `game-gone`: the server does not offer its game any more. `not-started`: it was open for a week. */
export const CancelReason = z.enum(['owner', 'owner-gone', 'not-started', 'game-gone'])
export type CancelReason = z.infer<typeof CancelReason>

/** A tournament in a list. */
export const TournamentSummary = z.object({
  id: TournamentId,
  name: z.string(),
  game: z.string(),
  format: TournamentFormat,
  /** How many may take part. */
  size: z.number().int(),
  /** Of the game, for each match. */
  options: z.record(z.string(), z.unknown()),
  status: TournamentStatus,
  /** Null once the account is deleted. */
  owner: z.object({ userId: UserId, username: z.string(), displayName: z.string() }).nullable(),
  /** How many take part. */
  entrantCount: z.number().int(),
  winner: Entrant.nullable(),
  createdAt: Timestamp,
  startedAt: Timestamp.nullable(),
  finishedAt: Timestamp.nullable(),
  /** Why it was cancelled, else null. */
  endReason: CancelReason.nullable(),
})
export type TournamentSummary = z.infer<typeof TournamentSummary>

export const Tournament = TournamentSummary.extend({
  /** The `seq` of `tournaments.onUpdate`. */
  version: z.number().int(),
  /** By seed; before the start in the order of joining. */
  entrants: z.array(Entrant),
  /** By round and slot; none before the start. */
  pairings: z.array(Pairing),
  /** The best first; none before the start. */
  standings: z.array(Standing),
})
export type Tournament = z.infer<typeof Tournament>
