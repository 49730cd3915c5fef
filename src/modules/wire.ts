import { z } from 'zod'

// Shapes that several modules put on the wire. Browser-safe.

export const UserId = z.string().min(1).max(40).brand<'UserId'>()
export type UserId = z.infer<typeof UserId>

export const MatchId = z.string().min(1).max(40).brand<'MatchId'>()
export type MatchId = z.infer<typeof MatchId>

export const SessionId = z.string().min(1).max(40).brand<'SessionId'>()
export type SessionId = z.infer<typeof SessionId>

/** Milliseconds since the epoch. */
export const Timestamp = z.number().int()

export const Empty = z.object({})
