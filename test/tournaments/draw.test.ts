import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bracketRounds, drawBracket } from '../../src/modules/tournaments/draw/bracket.ts'
import { drawRoundRobin } from '../../src/modules/tournaments/draw/round-robin.ts'
import { bySeed } from '../../src/modules/tournaments/draw/seeding.ts'

const elimination = fc.integer({ min: 4, max: 64 })
const league = fc.integer({ min: 3, max: 16 })

describe('a bracket', () => {
  test('has every seed once in its first round, and byes for the best seeds alone', () => {
    fc.assert(
      fc.property(elimination, (players) => {
        const first = drawBracket(players).filter(({ round }) => round === 1)
        const size = 2 ** bracketRounds(players)
        expect(first.length).toBe(size / 2)
        const seeds = first.flatMap((pairing) => pairing.seeds).filter((seed) => seed !== null)
        expect(seeds.toSorted((a, b) => a - b)).toEqual(Array.from({ length: players }, (_, index) => index + 1))
        const byes = first.filter((pairing) => pairing.seeds.includes(null)).flatMap((pairing) => pairing.seeds)
        expect(byes.filter((seed) => seed !== null).toSorted((a, b) => a - b)).toEqual(
          Array.from({ length: size - players }, (_, index) => index + 1),
        )
      }),
    )
  })

  test('keeps the best seeds apart for as long as possible', () => {
    fc.assert(
      fc.property(elimination, (players) => {
        const rounds = bracketRounds(players)
        const slotOf = new Map(
          drawBracket(players)
            .filter(({ round }) => round === 1)
            .flatMap(({ slot, seeds }) => seeds.map((seed) => [seed, slot] as const)),
        )
        // Of the first 2^k seeds no two are in the same part of the bracket of which there are 2^k.
        for (let k = 1; k < rounds; k++) {
          const best = Array.from({ length: Math.min(2 ** k, players) }, (_, index) => index + 1)
          const parts = best.map((seed) => Math.floor((slotOf.get(seed) ?? 0) / 2 ** (rounds - 1 - k)))
          expect(new Set(parts).size).toBe(best.length)
        }
      }),
    )
  })

  test('of 8 is the usual one', () => {
    expect(drawBracket(8).map(({ round, slot, seeds }) => [round, slot, ...seeds])).toEqual([
      [1, 0, 1, 8],
      [1, 1, 4, 5],
      [1, 2, 2, 7],
      [1, 3, 3, 6],
      [2, 0, null, null],
      [2, 1, null, null],
      [3, 0, null, null],
    ])
  })
})

describe('a round robin', () => {
  test('lets everybody meet everybody once, and play once a round', () => {
    fc.assert(
      fc.property(league, (players) => {
        const pairings = drawRoundRobin(players)
        expect(pairings.length).toBe((players * (players - 1)) / 2)
        const met = pairings.map(({ seeds }) => seeds.toSorted((a, b) => (a ?? 0) - (b ?? 0)).join('-'))
        expect(new Set(met).size).toBe(pairings.length)
        const inRound = pairings.flatMap(({ round, seeds }) => seeds.map((seed) => `${round}: ${seed}`))
        expect(new Set(inRound).size).toBe(inRound.length)
        expect(Math.max(...pairings.map(({ round }) => round))).toBe(players % 2 === 0 ? players - 1 : players)
        expect(pairings).toEqual(pairings.toSorted((a, b) => a.round - b.round || a.slot - b.slot))
      }),
    )
  })

  test('gives everybody both seats, as equally as it can', () => {
    for (let players = 3; players <= 16; players++) {
      const pairings = drawRoundRobin(players)
      for (let seed = 1; seed <= players; seed++) {
        const first = pairings.filter(({ seeds }) => seeds[0] === seed).length
        const second = pairings.filter(({ seeds }) => seeds[1] === seed).length
        expect(Math.abs(first - second), `${seed} of ${players}`).toBeLessThanOrEqual(1)
      }
    }
  })
})

test('seeds are given by rating, then by the order of joining', () => {
  const rated = (number: number, rating: number | null) => ({ number, rating })
  const players = [rated(1, null), rated(2, 1500), rated(3, 1700), rated(4, null), rated(5, 1500), rated(6, -3)]
  expect(bySeed(players).map(({ number }) => number)).toEqual([3, 2, 5, 6, 1, 4])
})
