import { UNREADABLE } from '../protocol/index.ts'
import type { Connection } from './connection.ts'
import { errorData, RpcError } from './errors.ts'
import type { Peeked } from './peek.ts'

/** An answer without its envelope: encoded already where it was kept with a write. */
export type Body = { readonly data: unknown } | string

const PLAIN = /^[\w-]*$/

export function answer(connection: Connection, type: string, eid: string, body: Body): void {
  if (connection.closed) return
  // A handler may give undefined, of which there is no JSON.
  const rest = typeof body === 'string' ? body.slice(1) : `"data":${JSON.stringify(body.data) ?? 'null'}}`
  connection.peer.send(`{"type":"${type}","eid":${quoted(eid)},"ts":${Date.now()},${rest}`)
}

/** Most `eid`s need no escaping, and to see that costs less than to do it. */
function quoted(eid: string): string {
  return PLAIN.test(eid) ? `"${eid}"` : JSON.stringify(eid)
}

export function answerError(connection: Connection, type: string, eid: string, error: RpcError): void {
  if (connection.closed) return
  connection.peer.send(JSON.stringify({ type, data: errorData(error), eid, ts: Date.now(), error: error.code }))
}

/** Answers what was not or could not be read, under what is known of its envelope. */
export function answerUnread(connection: Connection, { type, eid }: Partial<Peeked>, error: RpcError): void {
  answerError(connection, type ?? UNREADABLE.type, eid ?? UNREADABLE.eid, error)
}

/** Answers a frame that is no envelope. */
export function answerBad(connection: Connection, reason: string, known: Partial<Peeked> = {}): void {
  answerUnread(connection, known, new RpcError('BAD_ENVELOPE', `Not an envelope: ${reason}`))
}
