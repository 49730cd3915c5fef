import { type ClientMessage, type Issue, UNREADABLE } from '../protocol/index.ts'
import type { Connection } from './connection.ts'
import { errorData, invalid, RpcError } from './errors.ts'

/** The `type` and `eid` of a frame, where they could be read, for the answer that refuses it. */
export interface Known {
  readonly type?: string | undefined
  readonly eid?: string | undefined
}

/** A frame that is no envelope. */
export interface BadEnvelope extends Known {
  readonly bad: string
}

export interface ReadEnvelope {
  readonly message: ClientMessage
  /** A string in `data` that Postgres does not store: one with NUL or half a surrogate pair. */
  readonly unstorable: Issue | undefined
}

/** The wire name of a method or subscription. */
export const TYPE = /^[a-z][A-Za-z0-9]{0,31}\.[a-z][A-Za-z0-9]{0,31}$/
const MAX_EID = 64

/**
 * Reads one text frame. The value is searched for deep nesting, and for strings that cannot be stored, only if the text may
 * have them, so that most frames cost little more than `JSON.parse`. `types` are the types of this server.
 */
export function readEnvelope(
  text: string,
  maxDepth: number,
  types: ReadonlyMap<string, unknown>,
): ReadEnvelope | BadEnvelope {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return bad('not JSON')
  }
  if (hasMoreThan(text, maxDepth) && nestsDeeper(value, maxDepth)) return bad(`nested deeper than ${maxDepth} levels`)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad('not an object')

  const { type, eid, ts, data } = value as Partial<Record<keyof ClientMessage, unknown>>
  const isSuspect = SUSPICIOUS.test(text)
  const goodType = typeof type === 'string' && (types.has(type) || TYPE.test(type)) ? type : undefined
  const hasEid = typeof eid === 'string' && eid.length > 0 && eid.length <= MAX_EID && (!isSuspect || isStorable(eid))
  const goodEid = hasEid ? eid : undefined
  if (goodEid === undefined) return bad('eid: a string of 1 to 64 characters is needed', goodType)
  if (goodType === undefined) return bad('type: `namespace.name` is needed', undefined, goodEid)
  if (typeof ts !== 'number') return bad('ts: milliseconds since the epoch are needed', goodType, goodEid)

  return {
    message: { type: goodType, eid: goodEid, ts, data: data === undefined ? {} : data },
    unstorable: isSuspect ? findUnstorable(data) : undefined,
  }
}

function bad(reason: string, type?: string, eid?: string): BadEnvelope {
  return { bad: reason, type, eid }
}

function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed()
}

/** Most frames have so few brackets that they cannot nest too deep, which is quick to see. */
function hasMoreThan(text: string, count: number): boolean {
  let seen = 0
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++seen > count) return true
    }
  }
  return false
}

/** Whether arrays and objects nest deeper than so many levels. It looks no deeper than that. */
function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => nestsDeeper(inner, levels - 1))
}

/** A text without such an escape has neither NUL nor half a surrogate pair, as it is valid UTF-8. */
const SUSPICIOUS = /\\u(?:0000|d[89a-f])/i

function findUnstorable(value: unknown): Issue | undefined {
  if (typeof value === 'string') {
    return isStorable(value) ? undefined : { path: '', message: 'a string with NUL or half a surrogate pair' }
  }
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, inner] of Object.entries(value)) {
    if (!isStorable(key)) return { path: '', message: 'a key with NUL or half a surrogate pair' }
    const found = findUnstorable(inner)
    if (found) return { path: found.path === '' ? key : `${key}.${found.path}`, message: found.message }
  }
  return undefined
}

/**
 * The JSON of an HTTP request; `{}` where nothing was sent. It has passed the checks of a frame.
 *
 * @throws RpcError BAD_ENVELOPE, VALIDATION_FAILED
 */
export function readJson(text: string, maxDepth: number): unknown {
  if (text === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new RpcError('BAD_ENVELOPE', 'Not JSON')
  }
  if (nestsDeeper(value, maxDepth)) throw new RpcError('BAD_ENVELOPE', `Nested deeper than ${maxDepth} levels`)
  const unstorable = findUnstorable(value)
  if (unstorable) throw invalid([unstorable])
  return value
}

/** The same checks for a JSON value that did not come in an envelope, and so not through `readEnvelope`. */
export function isStorableJson(value: unknown, maxDepth: number): boolean {
  return !nestsDeeper(value, maxDepth) && findUnstorable(value) === undefined
}

/** Bytes at the beginning of a frame in which its `type` and `eid` are looked for. */
const HEAD_BYTES = 512
/** Bytes at its end, where the `eid` stands in frames that have their data before it. */
const TAIL_BYTES = 160

const TYPE_FIELD = /"type"\s*:\s*"([a-z][A-Za-z0-9]{0,31}\.[a-z][A-Za-z0-9]{0,31})"/
/** Without escapes: printable ASCII but quotes and backslashes. */
const EID_FIELD = /"eid"\s*:\s*"([ !#-[\]-~]{1,64})"/
const LAST_EID_FIELD = /"eid"\s*:\s*"([ !#-[\]-~]{1,64})"\s*(?:,\s*"ts"\s*:\s*[\d.]+\s*)?\}\s*$/

/** Finds `type` and `eid` without parsing the frame, in its beginning and its end. */
export function peek(frame: Buffer): Known {
  const head = frame.toString('latin1', 0, HEAD_BYTES)
  const tail = frame.toString('latin1', Math.max(0, frame.length - TAIL_BYTES))
  const [, eid] = LAST_EID_FIELD.exec(tail) ?? EID_FIELD.exec(head) ?? []
  return { type: TYPE_FIELD.exec(head)?.[1], eid }
}

/** Recognizes frames of `types` by how the SDK begins them, before they are parsed. */
export function recognizerOf(types: readonly string[]): (frame: Buffer) => boolean {
  const beginnings = types.map((type) => Buffer.from(`{"type":"${type}"`))
  return (frame) => {
    for (const beginning of beginnings) if (beginsWith(frame, beginning)) return true
    return false
  }
}

function beginsWith(frame: Buffer, beginning: Buffer): boolean {
  if (frame.length < beginning.length) return false
  // Compares from the end, where types differ: all frames begin alike.
  for (let i = beginning.length - 1; i >= 0; i--) if (frame[i] !== beginning[i]) return false
  return true
}

/** The answer of a handler: its data, or JSON where the answer of a write was kept. */
export type Body = { readonly data: unknown } | string

/** The end of an answer that is an error. A text within `data` cannot look like it, because its quotes are escaped. */
const KEPT_ERROR = /"error":"([^"\\]*)"\}$/

/** The code of the kept answer of a write, if that is an error. */
export function errorOfKept(answer: string): string | undefined {
  return answer.endsWith('"}') ? KEPT_ERROR.exec(answer)?.[1] : undefined
}

const PLAIN = /^[\w-]*$/

export function answer(connection: Connection, type: string, eid: string, body: Body): void {
  if (connection.closed) return
  // `undefined` has no JSON.
  const rest = typeof body === 'string' ? body.slice(1) : `"data":${JSON.stringify(body.data) ?? 'null'}}`
  // Most `eid`s need no escaping, and the test is cheaper than `JSON.stringify`.
  const quoted = PLAIN.test(eid) ? `"${eid}"` : JSON.stringify(eid)
  connection.send(`{"type":"${type}","eid":${quoted},"ts":${Date.now()},${rest}`)
}

/** Answers a request that failed, or a frame that was not read, with the `type` and `eid` that are known of it. */
export function answerError(connection: Connection, { type, eid }: Known, error: RpcError): void {
  if (connection.closed) return
  const known = { type: type ?? UNREADABLE.type, data: errorData(error), eid: eid ?? UNREADABLE.eid }
  connection.send(JSON.stringify({ ...known, ts: Date.now(), error: error.code }))
}

export function answerBad(connection: Connection, reason: string, known: Known = {}): void {
  answerError(connection, known, new RpcError('BAD_ENVELOPE', `Not an envelope: ${reason}`))
}
