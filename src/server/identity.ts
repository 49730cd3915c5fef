import { type Caller, GATE_DEADLINE_MS, RpcError, type SessionGate, type SignedIn } from '../rpc/index.ts'
import type { Sender } from './http.ts'
import type { Outage } from './outage.ts'
import type { Cookies, Device, SessionClaims } from './session-cookie.ts'
import type { Gauge } from './session-lookups.ts'

const RETRY_MS = 1_000

/** Who sent a request. */
export interface Identity {
  readonly caller: Caller
  /** For the answer to set: the session cookie renewed, or cleared because it proves nothing. */
  readonly setCookie: string | undefined
}

/**
 * The one way from a cookie to a caller. It answers at once where nothing has to be looked up: without a cookie, or for
 * one that was not signed here. Else it asks the gate, with a deadline, and rejects with RpcError UNAVAILABLE when there is no answer.
 */
export type Identify = (sender: Sender) => Identity | Promise<Identity>

interface IdentifyOptions {
  readonly gate: SessionGate
  readonly cookies: Cookies
  readonly lookups: Gauge
  readonly outage: Outage
}

export function createIdentify({ gate, cookies, lookups, outage }: IdentifyOptions): Identify {
  const lookUp = async (sender: Sender, session: SessionClaims, device: Device | null): Promise<Identity> => {
    const { sessionId, userId, isAging } = session
    let signedIn: SignedIn | null
    try {
      const ask = () => (isAging ? gate.extend(sessionId, userId) : gate.resume(sessionId, userId))
      signedIn = await lookups.run(ask, GATE_DEADLINE_MS)
    } catch (error) {
      outage.failed(error)
      throw new RpcError('UNAVAILABLE', 'Nobody can be signed in now', { retryAfterMs: RETRY_MS })
    }
    outage.succeeded()
    if (!signedIn) return { caller: callerOf(sender, null, device), setCookie: cookies.clearedSession }
    const setCookie = isAging ? await cookies.session(userId, sessionId, signedIn.expiresAt) : undefined
    return { caller: callerOf(sender, signedIn, device), setCookie }
  }

  return (sender) => {
    if (sender.cookie === '') return { caller: callerOf(sender, null, null), setCookie: undefined }
    const { session, device, isBad } = cookies.read(sender.cookie)
    if (session) return lookUp(sender, session, device)
    return { caller: callerOf(sender, null, device), setCookie: isBad ? cookies.clearedSession : undefined }
  }
}

function callerOf({ ip, userAgent }: Sender, signedIn: SignedIn | null, device: Device | null): Caller {
  return { user: signedIn?.user ?? null, sessionId: signedIn?.sessionId ?? null, ip, userAgent, device }
}
