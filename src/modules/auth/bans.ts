import { msOf } from '../../db/sql.ts'
import { RpcError } from '../../rpc/index.ts'

/** A ban as it is stored. One whose time is over has no effect. */
export interface Ban {
  readonly reason: string
  /** Milliseconds since the epoch; null until it is lifted. */
  readonly until: number | null
}

/** The column "ban" of `users`. */
export const BAN = `CASE WHEN users.banned_at IS NOT NULL THEN json_build_object('reason', users.ban_reason,
  'until', ${msOf('users.banned_until')}) END AS "ban"`

/** SQL: whether the row of `users` is banned at `time`. */
export function isBannedAt(time: string): string {
  return `(users.banned_at IS NOT NULL AND coalesce(users.banned_until > ${time}, true))`
}

export function isInForce(ban: Ban | null, nowMs: number): ban is Ban {
  return ban !== null && (ban.until === null || ban.until > nowMs)
}

/** What a banned user reads. */
export function banText({ reason, until }: Ban): string {
  const end = until === null ? '' : ` until ${new Date(until).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  return `You are banned${end}: ${reason}`
}

/** @throws RpcError BANNED while the ban is in force */
export function forbidBanned(ban: Ban | null, nowMs: number): void {
  if (!isInForce(ban, nowMs)) return
  const retryAfterMs = ban.until === null ? undefined : ban.until - nowMs
  throw new RpcError('BANNED', banText(ban), { retryAfterMs })
}
