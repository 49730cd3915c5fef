import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashState } from '../../src/games/hash.ts'

const roundTrip = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** The same value with every object's keys in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  )
}

// fast-check sets `__proto__` as an own property, which neither object literals nor JSON.stringify's reader keep apart.
const anything = fc
  .jsonValue({ noUnicodeString: false })
  .filter((value) => !JSON.stringify(value).includes('__proto__'))

describe('the hash of a state', () => {
  test('is an unsigned 32-bit integer', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const hash = hashState(value)
        expect(hash).toBe(hash >>> 0)
      }),
    )
  })

  test('stays the same through JSON and in any order of keys', () => {
    fc.assert(
      fc.property(anything, (value) => {
        expect(hashState(roundTrip(value))).toBe(hashState(value))
        expect(hashState(reversed(value))).toBe(hashState(value))
      }),
      { numRuns: 1000 },
    )
  })

  test('stays the same through JSON for what JSON rewrites', () => {
    const state = { a: -0, b: Number.NaN, c: [undefined, Number.NEGATIVE_INFINITY], d: undefined, e: [-0.5, 2 ** 31] }
    expect(hashState(roundTrip(state))).toBe(hashState(state))
  })

  test('is another one for nearly any other value', () => {
    fc.assert(
      fc.property(anything, anything, (a, b) => {
        fc.pre(JSON.stringify(reversed(a)) !== JSON.stringify(reversed(b)))
        // Two values that differ in the order of keys alone are the same; anything else is a collision.
        if (JSON.stringify(sorted(a)) !== JSON.stringify(sorted(b))) expect(hashState(a)).not.toBe(hashState(b))
      }),
      { numRuns: 1000 },
    )
  })

  test('tells types, places and nesting apart', () => {
    const values = [
      ...[null, 0, '', false, [], {}, 1, '1', true, [1], { a: 1 }, -1, 1.5, [0], [[]], [[], []], [1, 2], [2, 1]],
      ...[
        { a: 1, b: 2 },
        { a: 2, b: 1 },
        { ab: 1 },
        { a: { b: 1 } },
        { b: { a: 1 } },
        { a: null },
        'ab',
        'ba',
        ['a', 'b'],
      ],
      ...[2 ** 31, 2 ** 32, 2 ** 32 + 1, -(2 ** 31), 2 ** 53, 0.1 + 0.2, 0.3, Number.MIN_VALUE, Number.MAX_VALUE],
    ]
    expect(new Set(values.map(hashState)).size).toBe(values.length)
  })

  test('sees the last bit of a number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const next = value + Math.max(Number.MIN_VALUE, Math.abs(value) * Number.EPSILON)
        fc.pre(next !== value && Number.isFinite(next))
        expect(hashState({ x: next })).not.toBe(hashState({ x: value }))
      }),
    )
  })

  test('spreads states that differ by little over all of 32 bits', () => {
    const hashes = new Set<number>()
    for (let x = 0; x < 300; x++) for (let y = 0; y < 300; y++) hashes.add(hashState({ x, y }))
    // 90,000 random numbers of 32 bits collide about once.
    expect(hashes.size).toBeGreaterThan(89_990)
    const high = new Set([...hashes].map((hash) => hash >>> 24))
    expect(high.size).toBe(256)
  })

  test('takes a typed array for the plain array of its numbers', () => {
    expect(hashState({ cells: Int8Array.of(-1, 0, 1) })).toBe(hashState({ cells: [-1, 0, 1] }))
    expect(hashState(Float64Array.of(0.1, -0, 2 ** 40))).toBe(hashState([0.1, 0, 2 ** 40]))
  })

  test('refuses what JSON cannot hold', () => {
    class Ball {
      x = 1
    }
    const refused = [new Map(), new Set([1]), new Date(0), new Ball(), () => 1, Symbol('x'), 1n, new BigInt64Array(1)]
    for (const value of [...refused, new DataView(new ArrayBuffer(8))]) {
      expect(() => hashState({ value })).toThrow(TypeError)
    }
  })

  test('never changes from one version to the next, or peers of different versions could not compare', () => {
    expect(hashState({ x: 1.5, name: 'pong', list: [1, -2, null, true], nested: { empty: {} } })).toMatchInlineSnapshot(
      `3306791403`,
    )
    expect(hashState(null)).toMatchInlineSnapshot(`3899163062`)
  })
})

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}
