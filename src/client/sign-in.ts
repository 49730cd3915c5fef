import type { Welcome } from '../protocol/envelope.ts'
import type { Connection } from './connection.ts'
import { answerError, RallyError } from './errors.ts'
import { callListener } from './event-emitter.ts'
import { askBrowser } from './passkeys.ts'
import type { Requests } from './requests.ts'
import type { Begun, PasskeyAsked, PasskeyOptions, PasskeyStep, SignedIn, SignIn } from './types.ts'

/** A finished sign-in: `token` is a ticket that `POST /session` exchanges for the session cookie. */
type Authorized = SignedIn & { readonly status: 'authorized'; readonly token: string }

/** What `auth.verify` and `auth.recover` answer. */
type Verified = Authorized | PasskeyAsked

export interface SignInOptions {
  readonly connection: Connection
  readonly requests: Requests
  /** Makes a new socket, and resolves to its welcome. */
  readonly reconnect: () => Promise<Welcome>
  readonly fetch: typeof fetch
  readonly sessionUrl: string
  readonly timeoutMs: number
  /** Aborts when the client closes. */
  readonly closed: AbortSignal
}

/** Asks for a challenge of this socket, answers it, exchanges the ticket for the cookie, and makes a socket with it. */
export async function signIn(username: string, options: SignInOptions): Promise<SignIn> {
  const { connection, requests } = options
  const begin = () => requests.request<Begun>('auth.begin', { username })
  const begun = await begin()
  // The challenge belongs to this socket.
  let { socketNumber } = connection

  /** Asks again for a challenge that was lost with its socket, or is too old. A candidate's secret is lost with it. */
  const beginAgain = async () => {
    if (begun.status === 'candidate') {
      throw new RallyError('NO_CHALLENGE', 'The connection was lost, and with it the new secret: sign in again', {
        type: 'auth.verify',
      })
    }
    const again = await begin()
    if (again.status !== 'user') throw new RallyError('NO_CHALLENGE', 'There is no such user any more')
    socketNumber = connection.socketNumber
  }

  return {
    ...begun,
    async verify(code, { onRecoveryCodes, ...passkeyOptions } = {}) {
      const { signal } = passkeyOptions
      const attempt = () => requests.request<Verified>('auth.verify', { code }, { signal })
      if (socketNumber !== connection.socketNumber) await beginAgain()
      const verified = await attempt().catch(async (error: unknown) => {
        if (!(error instanceof RallyError) || error.code !== 'NO_CHALLENGE' || begun.status === 'candidate') throw error
        await beginAgain()
        return attempt()
      })
      const authorized = await addPasskey(verified, requests, passkeyOptions)
      const { recoveryCodes, user } = authorized
      if (recoveryCodes && onRecoveryCodes) callListener(() => onRecoveryCodes(recoveryCodes, user))
      return enter(authorized, options)
    },
  }
}

export async function recover(
  username: string,
  recoveryCode: string,
  options: SignInOptions,
  passkeyOptions: PasskeyOptions,
): Promise<SignedIn> {
  const { requests } = options
  const { signal } = passkeyOptions
  const verified = await requests.request<Verified>('auth.recover', { username, recoveryCode }, { signal })
  return enter(await addPasskey(verified, requests, passkeyOptions), options)
}

/** Answers with a passkey where the server asks for one. Its challenge belongs to the socket, so it is not asked again. */
async function addPasskey(verified: Verified, requests: Requests, options: PasskeyOptions): Promise<Authorized> {
  if (verified.status === 'authorized') return verified
  const { signal, passkey = askBrowser } = options
  const stepOf = (asked: PasskeyAsked): PasskeyStep => ({
    ...asked,
    recover: async (recoveryCode) =>
      stepOf(await requests.request<PasskeyAsked>('auth.recoverPasskey', { recoveryCode }, { signal })),
  })
  const answer = await passkey(stepOf(verified))
  return requests.request<Authorized>('auth.verifyPasskey', answer, { signal })
}

/** Ends the session and its cookie, and makes a socket that belongs to nobody. */
export async function signOut(options: SignInOptions): Promise<void> {
  await session('DELETE', undefined, options)
  await options.reconnect()
}

/** Exchanges the ticket for the session, and makes a socket of the user's own. */
async function enter({ user, token, recoveryCodes }: Authorized, options: SignInOptions): Promise<SignedIn> {
  await session('POST', { token }, options)
  const welcome = await options.reconnect()
  if (welcome.user?.id !== user.id) {
    throw new RallyError('SESSION_NOT_KEPT', 'Signed in, but the session cookie was not kept or not sent')
  }
  return recoveryCodes ? { user, recoveryCodes } : { user }
}

/** One request to `/session`, which sets or clears the cookie: scripts cannot. */
async function session(method: 'POST' | 'DELETE', body: unknown, options: SignInOptions): Promise<void> {
  const { fetch, sessionUrl, timeoutMs, closed } = options
  const abort = new AbortController()
  const stop = () => abort.abort()
  const timer = setTimeout(stop, timeoutMs)
  closed.addEventListener('abort', stop)
  try {
    const response = await fetch(sessionUrl, {
      method,
      credentials: 'include',
      signal: abort.signal,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    if (response.ok) return
    const answer = ((await response.json().catch(() => null)) ?? {}) as { error?: unknown; data?: unknown }
    const code = typeof answer.error === 'string' ? answer.error : (codeByStatus[response.status] ?? 'INTERNAL')
    throw answerError(code, answer.data ?? answer, 'session')
  } catch (error) {
    if (error instanceof RallyError) throw error
    if (closed.aborted) throw new RallyError('CLOSED', 'The client is closed')
    throw new RallyError(abort.signal.aborted ? 'TIMEOUT' : 'OFFLINE', 'The session endpoint could not be reached')
  } finally {
    clearTimeout(timer)
    closed.removeEventListener('abort', stop)
  }
}

const codeByStatus: Readonly<Record<number, string>> = {
  400: 'VALIDATION_FAILED',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  429: 'RATE_LIMITED',
  503: 'UNAVAILABLE',
}
