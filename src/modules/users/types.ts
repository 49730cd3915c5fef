import { z } from 'zod'
import { lines, oneLine } from '../shown-text.ts'
import { MatchId, Timestamp, UserId } from '../wire.ts'

/** A user as everybody sees them. */
export const Profile = z.object({
  id: UserId,
  username: z.string(),
  displayName: z.string(),
  bio: z.string(),
  /** A path on this server. The picture is drawn from the name unless the user uploaded one. */
  avatarUrl: z.string(),
  createdAt: Timestamp,
})
export type Profile = z.infer<typeof Profile>

/** A user in a list. */
export const UserSummary = Profile.pick({ id: true, username: true, displayName: true, avatarUrl: true })
export type UserSummary = z.infer<typeof UserSummary>

/** What others read as the name of a user. Nobody tells one from another by it: usernames are for that. */
export const DisplayName = oneLine(1, 30)

export const Bio = lines(0, 300)

/** Where a user is. A player of a private match is `playing` without its id. */
export const PresenceOf = z.object({
  userId: UserId,
  status: z.enum(['online', 'playing', 'offline']),
  matchId: MatchId.nullable(),
})
export type PresenceOf = z.infer<typeof PresenceOf>

/** The users of `users.onPresence`, in the order of their ids. */
export const PresenceList = z.object({ users: z.array(PresenceOf) })
export type PresenceList = z.infer<typeof PresenceList>

/** A user who is online. */
export const OnlineUser = UserSummary.extend({ status: z.enum(['online', 'playing']), matchId: MatchId.nullable() })
export type OnlineUser = z.infer<typeof OnlineUser>

/** How a user has played a game against other users. */
export const GameStatistics = z.object({
  game: z.string(),
  played: z.number().int(),
  won: z.number().int(),
  /** Null without a ranked result. */
  rating: z.number().int().nullable(),
  deviation: z.number().int().nullable(),
  /** The rating after each of the last 100 ranked matches of a year, oldest first. */
  history: z.array(z.object({ at: Timestamp, rating: z.number().int() })),
})
export type GameStatistics = z.infer<typeof GameStatistics>
