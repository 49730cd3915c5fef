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

/** How long the transport waits for any answer about sessions. */
export const GATE_DEADLINE_MS = 2_000

/** A user as the socket knows them, and the session that brought them. */
export interface SignedIn {
  readonly user: CallerUser
  readonly sessionId: string
  /** When the session's row says that it ends, ms since the epoch. */
  readonly expiresAt: number
}

/**
 * What the transport needs of accounts. A module's service implements it, so that `server/` knows cookies and tokens
 * but no tables. Every call asks the database: callers give it a deadline.
 */
export interface SessionGate {
  /** The session of a cookie that was found genuine; null when the row is ended, expired or gone. */
  resume(sessionId: string, userId: string): Promise<SignedIn | null>
  /** Moves the end of a session on, for a cookie past half its life; null when there is no such session any more. */
  extend(sessionId: string, userId: string): Promise<SignedIn | null>
  /**
   * Exchanges a ticket for a new session, once.
   *
   * @throws RpcError UNAUTHENTICATED for a ticket that is forged, used or too old; UNAVAILABLE
   */
  redeem(ticket: string, from: Pick<Caller, 'ip' | 'userAgent'>): Promise<SignedIn>
  /**
   * Ends a session, by the user's own wish; closes its sockets everywhere.
   *
   * @throws RpcError UNAVAILABLE
   */
  end(sessionId: string, userId: string): Promise<void>
}
