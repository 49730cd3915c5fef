import { z } from 'zod'

/** Shapes that several modules put on the wire. Browser-safe. */

export const UserId = z.string().min(1).max(40).brand<'UserId'>()
export type UserId = z.infer<typeof UserId>

export const MatchId = z.string().min(1).max(40).brand<'MatchId'>()
export type MatchId = z.infer<typeof MatchId>

export const SessionId = z.string().min(1).max(40).brand<'SessionId'>()
export type SessionId = z.infer<typeof SessionId>

/** Milliseconds since the epoch. */
export const Timestamp = z.number().int()

/** Input of a list: where to go on, and how many at most. */
export const Page = {
  cursor: z.string().min(1).max(200).optional(),
  limit: z.number().int().min(1).max(100).optional(),
}

/** Output of a list: `nextCursor` is absent on the last page. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().optional() })

export const Empty = z.object({})
