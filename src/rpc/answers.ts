import { closeCodes, UNREADABLE } from '../protocol/index.ts'
import type { Connection } from './connection.ts'
import { errorData, RpcError } from './errors.ts'

/** An answer without its envelope: encoded already where it was kept with a write. */
export type Body = { readonly data: unknown } | string

/** Requests refused, less those let through, after which a socket is closed with 4029. */
const MAX_REFUSED = 1000

export function answer(connection: Connection, type: string, eid: string, body: Body): void {
  if (connection.closed) return
  const ts = Date.now()
  connection.peer.send(
    typeof body === 'string'
      ? `{"type":"${type}","eid":${JSON.stringify(eid)},"ts":${ts},${body.slice(1)}`
      : JSON.stringify({ type, data: body.data, eid, ts }),
  )
}

export function answerError(connection: Connection, type: string, eid: string, error: RpcError): void {
  if (connection.closed) return
  connection.peer.send(JSON.stringify({ type, data: errorData(error), eid, ts: Date.now(), error: error.code }))
}

/** Answers a frame that is no envelope, under what could still be read of it. */
export function answerBad(connection: Connection, reason: string, type?: string, eid?: string): void {
  const error = new RpcError('BAD_ENVELOPE', `Not an envelope: ${reason}`)
  answerError(connection, type ?? UNREADABLE.type, eid ?? UNREADABLE.eid, error)
}

/** Answers a frame over a limit of its socket; closes a socket that goes on regardless. */
export function refuse(connection: Connection, waitMs: number, type?: string, eid?: string): void {
  if (++connection.refused > MAX_REFUSED) {
    connection.peer.close(closeCodes.tooFast, 'too many requests')
    return
  }
  const error = new RpcError('RATE_LIMITED', 'Too many requests', { retryAfterMs: waitMs })
  answerError(connection, type ?? UNREADABLE.type, eid ?? UNREADABLE.eid, error)
}
