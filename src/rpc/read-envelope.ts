import type { ClientMessage, Issue } from '../protocol/index.ts'

/** A frame that is no envelope. `type` and `eid` are what could still be read of it. */
export interface BadEnvelope {
  readonly bad: string
  readonly type: string | undefined
  readonly eid: string | undefined
}

export interface ReadEnvelope {
  readonly message: ClientMessage
  /** A string in `data` that no database takes: one with NUL or half a surrogate pair. */
  readonly unstorable: Issue | undefined
}

const TYPE = /^[a-z][A-Za-z0-9]{0,31}\.[a-z][A-Za-z0-9]{0,31}$/
const MAX_EID = 64

/**
 * Reads one text frame. Nesting is bounded before the parser sees the text, and strings are only looked through
 * when an escape could have made a bad one, so that an honest frame costs little more than `JSON.parse`.
 */
export function readEnvelope(text: string, maxDepth: number): ReadEnvelope | BadEnvelope {
  if (isTooDeep(text, maxDepth)) return bad(`nested deeper than ${maxDepth} levels`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return bad('not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad('not an object')

  const { type, eid, ts, data } = value as Partial<Record<keyof ClientMessage, unknown>>
  // Without an escape there is no way to write NUL or half a surrogate pair in JSON that is valid UTF-8.
  const mayHoldUnstorable = text.includes('\\u')
  const goodType = typeof type === 'string' && TYPE.test(type) ? type : undefined
  const goodEid = typeof eid === 'string' && isEid(eid, mayHoldUnstorable) ? eid : undefined
  if (goodEid === undefined) return bad('eid: a string of 1 to 64 characters is needed', goodType)
  if (goodType === undefined) return bad('type: `namespace.name` is needed', undefined, goodEid)
  if (typeof ts !== 'number') return bad('ts: milliseconds since the epoch are needed', goodType, goodEid)

  return {
    message: { type: goodType, eid: goodEid, ts, data: data === undefined ? {} : data },
    unstorable: mayHoldUnstorable ? findUnstorable(data) : undefined,
  }
}

function bad(reason: string, type?: string, eid?: string): BadEnvelope {
  return { bad: reason, type, eid }
}

function isEid(eid: string, mayBeUnstorable: boolean): boolean {
  return eid.length > 0 && eid.length <= MAX_EID && (!mayBeUnstorable || isStorable(eid))
}

function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed()
}

/** Counts brackets outside strings. A text that has too few of them to nest that deep is not looked at. */
function isTooDeep(text: string, maxDepth: number): boolean {
  if (text.length < 2 * maxDepth || !hasMoreThan(text, maxDepth)) return false
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        i = endOfString(text, i + 1)
        break
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > maxDepth) return true
        break
      case 0x5d: // ]
      case 0x7d: // }
        depth--
    }
  }
  return false
}

/** Whether more than `count` brackets open anywhere in `text`, within strings or not. */
function hasMoreThan(text: string, count: number): boolean {
  let seen = 0
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++seen > count) return true
    }
  }
  return false
}

/** The index of the quote that ends the string whose first character is at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start)
  while (end !== -1 && isEscaped(text, end, start)) end = text.indexOf('"', end + 1)
  return end === -1 ? text.length : end
}

function isEscaped(text: string, index: number, start: number): boolean {
  let backslashes = 0
  while (index - 1 - backslashes >= start && text.charCodeAt(index - 1 - backslashes) === 0x5c) backslashes++
  return backslashes % 2 === 1
}

/** Depth is bounded already, so plain recursion is safe. */
function findUnstorable(value: unknown, path = ''): Issue | undefined {
  if (typeof value === 'string') {
    return isStorable(value) ? undefined : { path, message: 'a string with NUL or half a surrogate pair' }
  }
  if (typeof value !== 'object' || value === null) return undefined
  for (const key in value) {
    if (!isStorable(key)) return { path, message: 'a key with NUL or half a surrogate pair' }
    const found = findUnstorable(value[key as keyof typeof value], path === '' ? key : `${path}.${key}`)
    if (found) return found
  }
  return undefined
}

/** Whether a JSON value that came by another way than an envelope is one that an envelope could have brought. */
export function isStorableJson(value: unknown, maxDepth: number): boolean {
  if (typeof value === 'string') return isStorable(value)
  if (typeof value !== 'object' || value === null) return true
  if (maxDepth === 0) return false
  return Object.entries(value).every(([key, inner]) => isStorable(key) && isStorableJson(inner, maxDepth - 1))
}
