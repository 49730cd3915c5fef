import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nextFloat, nextInt, nextUint32, type PrngState, scramble, seedPrng } from '../../src/games/prng.ts'

const drawMany = (state: PrngState, count: number): number[] => Array.from({ length: count }, () => nextUint32(state))

/** xoshiro128** 1.1 and the seeding in unsigned big integers, as the C reference is written. */
const MASK = 0xffff_ffffn
const rotl = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & MASK

function* referenceStream(words: readonly number[]): Generator<number, never> {
  let [s0 = 0n, s1 = 0n, s2 = 0n, s3 = 0n] = words.map((word) => BigInt(word >>> 0))
  for (;;) {
    yield Number((rotl((s1 * 5n) & MASK, 7n) * 9n) & MASK)
    const t = (s1 << 9n) & MASK
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = rotl(s3, 11n)
  }
}

function referenceWords(seed: number): number[] {
  return [1n, 2n, 3n, 4n].map((n) => {
    let h = (BigInt(seed) + n * 0x9e3779b9n) & MASK
    h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & MASK
    h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & MASK
    return Number(h ^ (h >> 16n))
  })
}

const seeds = fc.integer({ min: 0, max: 0xffff_ffff })

describe('the seeded generator', () => {
  test('gives the reference sequence of xoshiro128** from the state 1, 2, 3, 4', () => {
    // The vector that rand_xoshiro publishes, made with the authors' C program.
    const state: PrngState = { rngA: 1, rngB: 2, rngC: 3, rngD: 4 }
    expect(drawMany(state, 10)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ])
  })

  test('gives for any seed what big integers give', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const words = referenceWords(seed)
        const state = seedPrng(seed)
        expect([state.rngA, state.rngB, state.rngC, state.rngD].map((word) => word >>> 0)).toEqual(words)
        const reference = referenceStream(words)
        expect(drawMany(state, 50)).toEqual(Array.from({ length: 50 }, () => reference.next().value))
      }),
    )
  })

  test('keeps its state in signed 32-bit integers that survive JSON', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const state = seedPrng(seed)
        drawMany(state, 20)
        for (const word of Object.values(state)) expect(word).toBe(word | 0)
        const copy: PrngState = JSON.parse(JSON.stringify(state))
        expect(drawMany(copy, 5)).toEqual(drawMany(state, 5))
      }),
    )
  })

  test('is never four zeros, not even for the seeds whose words are zero', () => {
    // The finaliser takes 0 to 0 alone, so these seeds give one zero word each.
    for (const n of [1, 2, 3, 4]) {
      const state = seedPrng((0x1_0000_0000 - ((n * 0x9e3779b9) % 0x1_0000_0000)) % 0x1_0000_0000)
      const words = Object.values(state)
      expect(words.filter((word) => word === 0)).toHaveLength(1)
    }
    expect(scramble(0)).toBe(0)
  })

  test('draws floats of [0, 1) with the mean of a uniform draw', () => {
    const state = seedPrng(1)
    let sum = 0
    for (let i = 0; i < 100_000; i++) {
      const drawn = nextFloat(state)
      if (!(drawn >= 0 && drawn < 1)) throw new Error(`${drawn} is outside [0, 1)`)
      sum += drawn
    }
    // Six standard deviations of the mean are 0.0055.
    expect(Math.abs(sum / 100_000 - 0.5)).toBeLessThan(0.0055)
  })

  test('draws integers below the bound, each about as often', () => {
    const state = seedPrng(2)
    const counts = new Array<number>(7).fill(0)
    for (let i = 0; i < 70_000; i++) {
      const drawn = nextInt(state, 7)
      counts[drawn] = (counts[drawn] ?? 0) + 1
    }
    expect(counts).toHaveLength(7)
    // Six standard deviations of each count are 556.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(556)
  })

  test('draws again rather than favour the small integers of a large bound', () => {
    // Three quarters of 2^32: taking the remainder alone would give the lowest third twice as often.
    const bound = 0xc000_0000
    const state = seedPrng(3)
    let low = 0
    for (let i = 0; i < 30_000; i++) if (nextInt(state, bound) < bound / 3) low++
    expect(Math.abs(low - 10_000)).toBeLessThan(490)
  })

  test('accepts the bounds 1 and 2^32 and refuses what is none', () => {
    const state = seedPrng(4)
    expect(nextInt(state, 1)).toBe(0)
    expect(nextInt(state, 0x1_0000_0000)).toBeLessThan(0x1_0000_0000)
    for (const bound of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 0x1_0000_0001]) {
      expect(() => nextInt(state, bound)).toThrow(RangeError)
    }
  })
})
