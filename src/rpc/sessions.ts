import type { z } from 'zod'
import type { TokenScope } from '../protocol/index.ts'

/** The id of a user, which the compiler tells from other ids. */
export type UserId = string & z.core.$brand<'UserId'>

/** What a user may do: an `admin` may call what has `access: 'admin'`. */
export type Role = 'player' | 'admin'

/** A signed-in user. */
export interface CallerUser {
  readonly id: UserId
  readonly username: string
  readonly displayName: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** As of the opening of the socket. When it changes, the user's sockets are closed with 4001 and come back. */
  readonly role: Role
  /** When an admin last reset the authenticator, ms since the epoch. */
  readonly authenticatorResetAt: number | null
}

/** A token that a program calls with in the name of its user. */
export interface CallerToken {
  readonly id: string
  readonly scopes: readonly TokenScope[]
}

/** The sender of a request, as the upgrade or the HTTP request showed. A user has a session or a token. */
export interface Caller {
  readonly user: CallerUser | null
  readonly sessionId: string | null
  readonly token: CallerToken | null
  /** The client's address, in front of all trusted proxies. */
  readonly ip: string
  /** The `User-Agent` header, cut to 200 characters. */
  readonly userAgent: string
  /** From the browser's signed device cookie: its id and the users who signed in there before. */
  readonly device: { readonly id: string; readonly users: readonly string[] } | null
}

/** What a caller signed in with: the id of the session or of the token. Null without a user. */
export function credentialOf({ sessionId, token }: Pick<Caller, 'sessionId' | 'token'>): string | null {
  return token ? token.id : sessionId
}

/** How long the transport waits for any answer about sessions or tokens. */
export const GATE_DEADLINE_MS = 2_000

/** A user and the session that they signed in with. */
export interface SignedIn {
  readonly user: CallerUser
  readonly sessionId: string
  /** When the session ends, ms since the epoch. */
  readonly expiresAt: number
}

/**
 * What the transport needs of accounts. A module's service implements it, so that `server/` knows cookies and tokens
 * but no tables. Every call asks the database: callers give it a deadline.
 */
export interface SessionGate {
  /** The session of a genuine cookie; null when it has ended or expired, or does not exist. @throws RpcError BANNED */
  resume(sessionId: string, userId: string): Promise<SignedIn | null>
  /** Makes a session last longer, for a cookie past half its life; null as `resume`. @throws RpcError BANNED */
  extend(sessionId: string, userId: string): Promise<SignedIn | null>
  /** Exchanges a ticket for a session, once. @throws RpcError UNAUTHENTICATED if it is forged, used or old; UNAVAILABLE */
  redeem(ticket: string, from: Pick<Caller, 'ip' | 'userAgent'>): Promise<SignedIn>
  /** Signs the user out: ends the session and closes its sockets on all nodes. @throws RpcError UNAVAILABLE */
  end(sessionId: string, userId: string): Promise<void>
}

/** What the transport needs of tokens. A module's service implements it. */
export interface TokenGate {
  /** What a token is remembered by; null for a text that cannot be one. */
  hashOf(token: string): string | null
  /**
   * The user of a token; null when it is unknown, or has expired or been revoked. One query at most.
   *
   * @throws RpcError BANNED
   */
  identify(token: string): Promise<{ readonly user: CallerUser; readonly token: CallerToken } | null>
}
