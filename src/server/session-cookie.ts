import { parseCookie, stringifySetCookie } from 'cookie'
import type { Caller } from '../rpc/index.ts'
import { createSignedTokens } from '../signed-token.ts'

const DEVICE_MS = 365 * 24 * 60 * 60_000
const MAX_DEVICE_USERS = 8

export type Device = NonNullable<Caller['device']>

/** A session cookie that this server signed and whose time is not over. The session's row may have ended all the same. */
export interface SessionClaims {
  readonly userId: string
  readonly sessionId: string
  /** More than half of the cookie's life is over, so it is renewed. */
  readonly isAging: boolean
}

export const sessionCookieName = (production: boolean): string => (production ? '__Host-rally' : 'rally')

/**
 * The session cookie is a JWT of user and session: HttpOnly, SameSite=Strict, and in production Secure with the
 * `__Host-` prefix (RFC 6265bis). The device cookie names the users who signed in with this browser before.
 * What is written is the value of a `Set-Cookie` header.
 */
export function createCookies(key: Uint8Array, production: boolean) {
  const prefix = sessionCookieName(production)
  const names = { session: prefix, device: `${prefix}-device` }
  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure: production } as const
  const tokens = createSignedTokens(key)

  const write = (kind: 'session' | 'device', claims: Record<string, unknown>, nowMs: number, lifeMs: number) => {
    const value = tokens.sign(kind, claims, nowMs, lifeMs)
    return stringifySetCookie({ name: names[kind], value, maxAge: Math.floor(lifeMs / 1000), ...attributes })
  }
  const readSession = (token: string, nowMs: number): SessionClaims | null => {
    const claims = tokens.read('session', token, nowMs)
    if (typeof claims?.sub !== 'string' || typeof claims.sid !== 'string') return null
    return { userId: claims.sub, sessionId: claims.sid, isAging: nowMs / 1000 > (claims.iat + claims.exp) / 2 }
  }
  const readDevice = (token: string, nowMs: number): Device | null => {
    const claims = tokens.read('device', token, nowMs)
    if (typeof claims?.did !== 'string' || !Array.isArray(claims.users)) return null
    return { id: claims.did, users: claims.users.filter((user) => typeof user === 'string') }
  }

  return {
    /** `isBad` when there was a session cookie that proves nothing. */
    read(header: string) {
      const nowMs = Date.now()
      const { [names.session]: sessionToken, [names.device]: deviceToken } = header === '' ? {} : parseCookie(header)
      const session = sessionToken ? readSession(sessionToken, nowMs) : null
      const device = deviceToken ? readDevice(deviceToken, nowMs) : null
      return { session, isBad: sessionToken !== undefined && session === null, device }
    },

    /** The cookie ends when the session's row does: at `expiresAt`, ms since the epoch. */
    session(userId: string, sessionId: string, expiresAt: number): string {
      const nowMs = Date.now()
      return write('session', { sub: userId, sid: sessionId }, nowMs, expiresAt - nowMs)
    },

    clearedSession: stringifySetCookie({ name: names.session, value: '', maxAge: 0, ...attributes }),

    device: ({ id, users }: Device): string =>
      write('device', { did: id, users: users.slice(0, MAX_DEVICE_USERS) }, Date.now(), DEVICE_MS),
  }
}

export type Cookies = ReturnType<typeof createCookies>
