import { scramble } from './prng.ts'

// Scratch memory for the bits of one number, which nothing reads after the call that wrote it.
const number = new Float64Array(1)
const words = new Uint32Array(number.buffer)
number[0] = 1
const HIGH = words[1] === 0x3ff00000 ? 1 : 0
const LOW = 1 - HIGH

const START = 0x52414c59
const NULL = 0x6e756c6c
const TRUE = 0x74727565
const FALSE = 0x66616c73
const INTEGER = 0x696e7433
const FLOAT = 0x666c6f61
const STRING = 0x73747269
const ARRAY = 0x61727261
const OBJECT = 0x6f626a65

/**
 * An unsigned 32-bit hash of a JSON-like state, alike on every engine; of different states one pair in 2^32 has the
 * same. It is no defence against somebody who looks for a collision. It stays the same after
 * `JSON.parse(JSON.stringify(state))` and in any order of keys (Postgres' `jsonb` changes it). So -0 counts as 0; NaN,
 * the infinities and `undefined` in an array count as null; a property that is `undefined` does not count. Typed arrays
 * hash as plain arrays, but JSON writes them as objects. Numbers are mixed by their IEEE 754 bits as in MurmurHash3
 * (Appleby, public domain). @throws TypeError for what JSON cannot hold: functions, symbols, bigints, maps, sets,
 * dates, other class instances.
 */
export function hashState(state: unknown): number {
  return scramble(hashValue(START, state)) >>> 0
}

function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51)
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  const h = hash ^ k
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
}

function hashValue(hash: number, value: unknown): number {
  switch (typeof value) {
    case 'number':
      return hashNumber(hash, value)
    case 'string':
      return hashString(hash, value)
    case 'boolean':
      return mix(hash, value ? TRUE : FALSE)
    case 'undefined':
      return mix(hash, NULL)
    case 'object':
      if (value === null) return mix(hash, NULL)
      return Array.isArray(value) || isNumbers(value) ? hashItems(hash, value) : hashObject(hash, value)
    default:
      throw new TypeError(`cannot hash a ${typeof value}`)
  }
}

function hashNumber(hash: number, value: number): number {
  const integer = value | 0
  if (integer === value) return mix(mix(hash, INTEGER), integer)
  // False for the infinities and NaN alone.
  if (value - value !== 0) return mix(hash, NULL)
  number[0] = value
  return mix(mix(mix(hash, FLOAT), words[LOW] ?? 0), words[HIGH] ?? 0)
}

function hashString(hash: number, value: string): number {
  let h = mix(hash, STRING)
  for (let i = 0; i < value.length; i++) h = Math.imul(h ^ value.charCodeAt(i), 0x01000193)
  return mix(h, value.length)
}

function hashItems(hash: number, items: ArrayLike<unknown>): number {
  let h = mix(mix(hash, ARRAY), items.length)
  for (let i = 0; i < items.length; i++) h = hashValue(h, items[i])
  return h
}

/** A typed array, but not of bigints. */
function isNumbers(value: object): value is ArrayLike<number> {
  if (!ArrayBuffer.isView(value)) return false
  return !(value instanceof DataView || value instanceof BigInt64Array || value instanceof BigUint64Array)
}

function hashObject(hash: number, value: object): number {
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new TypeError('cannot hash an instance of a class')
  }
  // The hashes of the entries are added, so that the order of keys does not count.
  let sum = 0
  let count = 0
  const record = value as Readonly<Record<string, unknown>>
  for (const key in record) {
    const item = record[key]
    if (item === undefined) continue
    sum = (sum + scramble(hashValue(hashString(OBJECT, key), item))) | 0
    count++
  }
  return mix(mix(mix(hash, OBJECT), count), sum)
}
