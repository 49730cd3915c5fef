import { temporaryCodes } from '../protocol/codes.ts'
import type { ErrorData, Issue } from '../protocol/envelope.ts'

/**
 * Codes that the client itself fails with, besides those that the server answers.
 *
 * - `OFFLINE`: never sent, because there was no connection in time or too many calls waited for one already.
 * - `ABORTED`: the call's signal was aborted.
 * - `CLOSED`: the client was closed, or the server told it to stay away.
 * - `USER_CHANGED`: somebody else signed in before the request could be sent (again); it is not sent in their name.
 * - `TOO_BIG`: the request is larger than the server takes, or JSON cannot hold it.
 * - `STREAM_CLOSED`: the server ended the stream, and the listener has no `end`.
 * - `SESSION_NOT_KEPT`: signed in, but the session cookie did not come back with the next socket.
 * - `PASSKEY_CANCELLED`: the browser's dialog for a passkey was cancelled, or took too long.
 * - `PASSKEY_KNOWN`: the authenticator has a passkey of this user already.
 * - `PASSKEY_UNSUPPORTED`: the browser has no passkeys, or not on this page.
 * - `PASSKEY_FAILED`: the browser gave no passkey for another reason.
 */
export type ClientCode =
  | 'OFFLINE'
  | 'ABORTED'
  | 'CLOSED'
  | 'USER_CHANGED'
  | 'TOO_BIG'
  | 'STREAM_CLOSED'
  | 'SESSION_NOT_KEPT'
  | 'PASSKEY_CANCELLED'
  | 'PASSKEY_KNOWN'
  | 'PASSKEY_UNSUPPORTED'
  | 'PASSKEY_FAILED'

export type RallyErrorDetails = {
  readonly [Name in 'issues' | 'retryAfterMs' | 'type' | 'eid']?: RallyError[Name] | undefined
}

/** What every call of the client fails with. `Code` is the union of the codes that are possible where it is typed. */
export class RallyError<Code extends string = string> extends Error {
  override readonly name = 'RallyError'
  readonly code: Code
  /** What is wrong with the input; empty unless `code` is `VALIDATION_FAILED`. */
  readonly issues: readonly Issue[]
  /** How long the server asks to wait before the same call is tried again. */
  readonly retryAfterMs: number | undefined
  /** Wire name of what failed. */
  readonly type: string | undefined
  /** The id of the exchange: calling again with it executes a write at most once. */
  readonly eid: string | undefined

  constructor(code: Code, message: string, details: RallyErrorDetails = {}) {
    super(message)
    this.code = code
    this.issues = details.issues ?? []
    this.retryAfterMs = details.retryAfterMs
    this.type = details.type
    this.eid = details.eid
  }

  /** Whether the same call may succeed later. */
  get temporary(): boolean {
    return this.code === 'OFFLINE' || temporaryCodes.has(this.code)
  }
}

/** The error that an answer with `error` stands for. `data` comes off the wire and may be anything. */
export function answerError(code: string, data: unknown, type?: string, eid?: string): RallyError {
  const { message, issues, retryAfterMs } = (data ?? {}) as Partial<ErrorData>
  return new RallyError(code, typeof message === 'string' ? message : code, { issues, retryAfterMs, type, eid })
}

/** The place where a call is made; `below` and what it calls are left out where the platform can do that. */
export function callSite(below: (...args: never[]) => unknown): Error {
  const site = new Error()
  Error.captureStackTrace?.(site, below)
  return site
}

/** Gives an error that is made when an answer comes, or a timer ends, the stack of the call that it belongs to. */
export function withCallSite(error: RallyError, site: Error): RallyError {
  const frames = (site.stack ?? '').replace(/^Error\n/, '')
  error.stack = `${error.name} [${error.code}]: ${error.message}\n${frames}`
  return error
}
