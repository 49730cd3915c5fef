/** A generator's state as four signed 32-bit integers, never all zero. A game's state extends it. */
export interface PrngState {
  rngA: number
  rngB: number
  rngC: number
  rngD: number
}

/**
 * The state for the low 32 bits of a seed: four outputs of SplitMix (Steele, Lea and Flood, 2014) in 32 bits. The
 * finaliser is a bijection, so no seed gives four zeros.
 */
export function seedPrng(seed: number): PrngState {
  return {
    rngA: scramble(seed + 0x9e3779b9),
    rngB: scramble(seed + 0x3c6ef372),
    rngC: scramble(seed + 0xdaa66d2b),
    rngD: scramble(seed + 0x78dde6e4),
  }
}

/** 0 to 2^32 - 1; advances `state`. xoshiro128** 1.1, public domain (https://prng.di.unimi.it/xoshiro128starstar.c). */
export function nextUint32(state: PrngState): number {
  const b = state.rngB
  const times5 = Math.imul(b, 5)
  const result = Math.imul((times5 << 7) | (times5 >>> 25), 9)
  const c = state.rngC ^ state.rngA
  const d = state.rngD ^ b
  state.rngB = b ^ c
  state.rngA ^= d
  state.rngC = c ^ (b << 9)
  state.rngD = (d << 11) | (d >>> 21)
  return result >>> 0
}

/** The next number of [0, 1), a multiple of 2^-32; advances `state`. */
export function nextFloat(state: PrngState): number {
  return nextUint32(state) / 0x1_0000_0000
}

/** 0 to `bound` - 1, all equally likely; advances `state`. @throws RangeError unless `bound` is of 1 to 2^32. */
export function nextInt(state: PrngState, bound: number): number {
  if (!Number.isInteger(bound) || bound < 1 || bound > 0x1_0000_0000) {
    throw new RangeError(`nextInt takes an integer of 1 to 2^32, not ${bound}`)
  }
  const fair = 0x1_0000_0000 - (0x1_0000_0000 % bound)
  let drawn = nextUint32(state)
  while (drawn >= fair) drawn = nextUint32(state)
  return drawn % bound
}

/** MurmurHash3's 32-bit finaliser: spreads every bit of `word` over all others. A signed 32-bit integer. */
export function scramble(word: number): number {
  let h = word | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
