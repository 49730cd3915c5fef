import { z } from 'zod'
import { MatchId, Timestamp, UserId } from '../wire.ts'

/** What a friend types to join: six characters of which no two look alike. */
export const JoinCode = z
  .string()
  .transform((code) => code.trim().toUpperCase())
  .pipe(z.string().regex(/^[2-9A-HJ-NP-Z]{6}$/, 'six letters and digits'))
export type JoinCode = z.infer<typeof JoinCode>

export const MatchMode = z.enum(['ranked', 'casual', 'local', 'bot'])
export type MatchMode = z.infer<typeof MatchMode>

export const MatchStatus = z.enum(['waiting', 'live', 'finished', 'aborted'])
export type MatchStatus = z.infer<typeof MatchStatus>

export const Visibility = z.enum(['public', 'private'])
export type Visibility = z.infer<typeof Visibility>

export const Player = z.object({
  seat: z.number().int().min(0),
  /** Null for the server-side opponent. */
  userId: UserId.nullable(),
  username: z.string().nullable(),
  displayName: z.string(),
  score: z.number().int(),
  connected: z.boolean(),
  /** How a ranked match has moved the rating; null without a ranked result. */
  rating: z.object({ before: z.number().int(), after: z.number().int() }).nullable(),
})
export type Player = z.infer<typeof Player>

/** Why a match ended other than by its rules: the first two with a winner. `stopped`: by an admin. */
export const EndReason = z.enum([
  'forfeit',
  'too-slow',
  'left',
  'nobody-came',
  'no-show',
  'node-left',
  'node-lost',
  'failed',
  'too-long',
  'stopped',
])
export type EndReason = z.infer<typeof EndReason>

export const Match = z.object({
  id: MatchId,
  game: z.string(),
  mode: MatchMode,
  status: MatchStatus,
  visibility: Visibility,
  code: z.string(),
  joinUrl: z.string(),
  players: z.array(Player),
  /** The only seat with placement 1, else null. */
  winnerSeat: z.number().int().nullable(),
  /** The placement of each seat: 1 is best, equal ones share. Null while there is no result. */
  placements: z.array(z.number().int().min(1)).nullable(),
  /** How many watch it without a seat; of a match that is over, how many did when it ended. Up to 7 s old. */
  spectators: z.number().int().min(0),
  options: z.record(z.string(), z.unknown()),
  /** The `seq` of `matches.onUpdate`. */
  version: z.number().int(),
  /** The match that this one repeats. The seats are kept for the players of that match. */
  rematchOf: MatchId.nullable(),
  /** The rematch, once a player has asked for one. */
  rematchId: MatchId.nullable(),
  createdAt: Timestamp,
  /** When the countdown ends, once it runs. */
  startsAt: Timestamp.nullable(),
  startedAt: Timestamp.nullable(),
  finishedAt: Timestamp.nullable(),
  /** While a player of a live match is away: until when they can come back, before the match is decided without them. */
  returnBy: Timestamp.optional(),
  /** Null while the match is not over, and when its rules ended it. */
  endReason: EndReason.nullable(),
})
export type Match = z.infer<typeof Match>

/** The newest public matches that wait for players or are being played. */
export const Lobby = z.object({ matches: z.array(Match) })
export type Lobby = z.infer<typeof Lobby>

/** A player in the list of the best of a game. */
export const Rated = z.object({
  userId: UserId,
  username: z.string(),
  displayName: z.string(),
  rating: z.number().int(),
  /** The strength is within two deviations of the rating with 95 %. */
  deviation: z.number().int(),
  /** Ranked results, and ranked wins. */
  played: z.number().int(),
  won: z.number().int(),
})
export type Rated = z.infer<typeof Rated>

/** Where a user stands in the queue for ranked matches. */
export const QueueState = z.object({
  /** `matched`: a match was found, and is not over. */
  status: z.enum(['idle', 'waiting', 'matched']),
  game: z.string().nullable(),
  /** Since when the user waits. */
  since: Timestamp.nullable(),
  /** The largest difference of ratings that was accepted when this was sent. It grows by 25 a second up to 500. */
  window: z.number().int().nullable(),
  matchId: MatchId.nullable(),
  /** For each game how many wait, and how long others have waited lately; null when nobody has. */
  queues: z.array(
    z.object({ game: z.string(), waiting: z.number().int(), estimatedWaitMs: z.number().int().nullable() }),
  ),
})
export type QueueState = z.infer<typeof QueueState>

/** Why somebody is asked to come to a match: another player, a tournament, or the queue, which has found a match. */
export const InviteReason = z.enum(['invite', 'tournament', 'queue'])
export type InviteReason = z.infer<typeof InviteReason>

export const InviteId = z.string().min(1).max(40).brand<'InviteId'>()
export type InviteId = z.infer<typeof InviteId>

/** A user is asked to come to a waiting match. */
export const Invite = z.object({
  id: InviteId,
  matchId: MatchId,
  game: z.string(),
  mode: MatchMode,
  reason: InviteReason,
  /** The player who asks; null for the server. */
  from: z.object({ userId: UserId, username: z.string(), displayName: z.string() }).nullable(),
  createdAt: Timestamp,
  expiresAt: Timestamp,
})
export type Invite = z.infer<typeof Invite>

/** The open invites of a user, the newest first. */
export const Invites = z.object({ invites: z.array(Invite) })
export type Invites = z.infer<typeof Invites>
