import { parseCookie, stringifySetCookie } from 'cookie'
import { SignJWT } from 'jose'
import type { Caller } from '../rpc/index.ts'
import { createTokenReader } from './signed-token.ts'

const SESSION_MS = 30 * 24 * 60 * 60_000
const DEVICE_MS = 365 * 24 * 60 * 60_000
const MAX_DEVICE_USERS = 8
const ISSUER = 'rally'

export type Device = NonNullable<Caller['device']>

/** A session cookie that this server signed and that is not over. The session's row may have ended nevertheless. */
export interface SessionClaims {
  readonly userId: string
  readonly sessionId: string
  /** More than half of its life is over: time to renew it. */
  readonly isAging: boolean
}

/** What the request's cookies say. `isBad` when there was a session cookie, but none to believe. */
export interface ReadCookies {
  readonly session: SessionClaims | null
  readonly isBad: boolean
  readonly device: Device | null
}

/** Reads and writes the two cookies. What is written is the value of a `Set-Cookie` header. */
export interface Cookies {
  /** Without a promise: every upgrade and every request passes here. */
  read(header: string): ReadCookies
  /** `expiresAt`: when the session's row ends, ms since the epoch. The cookie lives 30 days at most. */
  session(userId: string, sessionId: string, expiresAt: number): Promise<string>
  readonly clearedSession: string
  device(device: Device): Promise<string>
}

/**
 * The session cookie is a JWT (HS256) of user and session: HttpOnly, SameSite=Strict, and with the `__Host-` prefix
 * (RFC 6265bis) and Secure in production. The device cookie names the users who signed in with this browser before.
 */
export function createCookies(key: Uint8Array, production: boolean): Cookies {
  const prefix = production ? '__Host-rally' : 'rally'
  const names = { session: prefix, device: `${prefix}-device` }
  const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure: production } as const

  const sign = async (audience: string, claims: Record<string, unknown>, lifeMs: number): Promise<string> => {
    const now = Math.floor(Date.now() / 1000)
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer(ISSUER)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + Math.floor(lifeMs / 1000))
      .sign(key)
  }

  const readToken = createTokenReader(key)
  const readSession = (token: string): SessionClaims | null => {
    const nowMs = Date.now()
    const claims = readToken(token, { issuer: ISSUER, audience: 'session' }, nowMs)
    if (typeof claims?.sub !== 'string' || typeof claims.sid !== 'string') return null
    const isAging = nowMs / 1000 > (claims.iat + claims.exp) / 2
    return { userId: claims.sub, sessionId: claims.sid, isAging }
  }
  const readDevice = (token: string): Device | null => {
    const claims = readToken(token, { issuer: ISSUER, audience: 'device' }, Date.now())
    if (typeof claims?.did !== 'string' || !Array.isArray(claims.users)) return null
    return { id: claims.did, users: claims.users.filter((user) => typeof user === 'string') }
  }

  return {
    read(header) {
      const cookies = header === '' ? {} : parseCookie(header)
      const sessionToken = cookies[names.session]
      const deviceToken = cookies[names.device]
      const session = sessionToken ? readSession(sessionToken) : null
      const device = deviceToken ? readDevice(deviceToken) : null
      return { session, isBad: sessionToken !== undefined && session === null, device }
    },

    async session(userId, sessionId, expiresAt) {
      const lifeMs = Math.min(SESSION_MS, expiresAt - Date.now())
      const value = await sign('session', { sub: userId, sid: sessionId }, lifeMs)
      return stringifySetCookie({ name: names.session, value, maxAge: Math.floor(lifeMs / 1000), ...attributes })
    },

    clearedSession: stringifySetCookie({ name: names.session, value: '', maxAge: 0, ...attributes }),

    async device({ id, users }) {
      const value = await sign('device', { did: id, users: users.slice(0, MAX_DEVICE_USERS) }, DEVICE_MS)
      return stringifySetCookie({ name: names.device, value, maxAge: Math.floor(DEVICE_MS / 1000), ...attributes })
    },
  }
}
