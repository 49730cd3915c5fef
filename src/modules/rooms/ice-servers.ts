import { createHmac } from 'node:crypto'
import type { Config } from '../../config.ts'
import type { IceServer } from './types.ts'

/** How long a browser can connect to the TURN server with its credentials. */
const CREDENTIALS_MS = 3_600_000

/**
 * The STUN and TURN servers for a user, with credentials by the scheme of "A REST API For Access To TURN Services"
 * (draft-uberti-behave-turn-rest-00): the name is the time at which they expire, in seconds, and the user's id; the
 * password is its HMAC-SHA1 by the secret that the TURN server knows too.
 */
export function iceServersFor(userId: string, { ice }: Pick<Config, 'ice'>, nowMs: number): IceServer[] {
  const { stunUrls, turnUrls, turnSecret } = ice
  const servers: IceServer[] = stunUrls.length > 0 ? [{ urls: [...stunUrls] }] : []
  if (turnUrls.length === 0 || turnSecret === undefined) return servers
  const username = `${Math.floor((nowMs + CREDENTIALS_MS) / 1000)}:${userId}`
  const credential = createHmac('sha1', turnSecret).update(username).digest('base64')
  return [...servers, { urls: [...turnUrls], username, credential }]
}
