import { z } from 'zod'
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

/** Characters that turn text around, or hide: U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069, U+FEFF. */
const NO_DISGUISE = /^[^\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]*$/

/** What others read as the name of a user. Nobody tells one from another by it: usernames are for that. */
export const DisplayName = z
  .string()
  .max(200)
  .transform((name) => name.normalize('NFC').trim())
  .pipe(
    z
      .string()
      .refine((name) => [...name].length <= 30, 'at most 30 characters')
      .regex(/[\p{L}\p{N}\p{P}\p{S}]/u, 'something that can be seen')
      .regex(/^[^\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]*$/u, 'no control characters')
      .regex(NO_DISGUISE, 'no characters that hide or turn text around')
      .regex(/^(?!.*\p{M}{4})/su, 'at most three marks on a letter'),
  )

/** Lines are kept. */
export const Bio = z
  .string()
  .max(1_000)
  .transform((bio) => bio.normalize('NFC').replaceAll(/\r\n?/g, '\n').trim())
  .pipe(
    z
      .string()
      .refine((bio) => [...bio].length <= 300, 'at most 300 characters')
      .regex(/^(?:[^\p{Cc}\p{Cs}\p{Cn}]|\n)*$/u, 'no control characters')
      .regex(NO_DISGUISE, 'no characters that hide or turn text around'),
  )

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
