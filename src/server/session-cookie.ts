import { parseCookie, stringifySetCookie } from 'cookie'
import { jwtVerify, SignJWT } from 'jose'
import type { Caller } from '../rpc/index.ts'

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
  read(header: string): Promise<ReadCookies>
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
  const verify = async (audience: string, token: string) => {
    const options = { algorithms: ['HS256'], issuer: ISSUER, audience, requiredClaims: ['exp', 'iat'] }
    return jwtVerify(token, key, options).then(
      ({ payload }) => payload,
      () => null,
    )
  }

  const readSession = async (token: string): Promise<SessionClaims | null> => {
    const claims = await verify('session', token)
    const { sub, sid, iat, exp } = claims ?? {}
    if (typeof sub !== 'string' || typeof sid !== 'string' || iat === undefined || exp === undefined) return null
    return { userId: sub, sessionId: sid, isAging: Date.now() / 1000 > (iat + exp) / 2 }
  }
  const readDevice = async (token: string): Promise<Device | null> => {
    const claims = await verify('device', token)
    const { did, users } = claims ?? {}
    if (typeof did !== 'string' || !Array.isArray(users)) return null
    return { id: did, users: users.filter((user) => typeof user === 'string').slice(0, MAX_DEVICE_USERS) }
  }

  return {
    async read(header) {
      const cookies = header === '' ? {} : parseCookie(header)
      const sessionToken = cookies[names.session]
      const deviceToken = cookies[names.device]
      const session = sessionToken ? await readSession(sessionToken) : null
      const device = deviceToken ? await readDevice(deviceToken) : null
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
