import type { z } from 'zod'

/** The id of a user: a string that is not passed for another kind of id. */
export type UserId = string & z.core.$brand<'UserId'>

/** A signed-in user, as the session look-up found them. */
export interface CallerUser {
  readonly id: UserId
  readonly username: string
  readonly displayName: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/** Who asks, as the upgrade or the HTTP request established it. */
export interface Caller {
  readonly user: CallerUser | null
  readonly sessionId: string | null
  /** The address, after trusted proxies. */
  readonly ip: string
  /** The browser's claim about itself, cut to 200 characters. */
  readonly userAgent: string
  /** A browser that somebody signed in with before, from its signed cookie: its id and the ids of those users. */
  readonly device: { readonly id: string; readonly users: readonly string[] } | null
}
