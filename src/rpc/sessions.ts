import type { Caller, CallerUser } from './caller.ts'

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
