import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Glicko, rate, UNRATED } from '../../../src/modules/matches/ratings/glicko2.ts'
import { rateMatch } from '../../../src/modules/matches/ratings/rate-match.ts'

const glicko = fc.record({
  rating: fc.double({ min: 100, max: 3_500, noNaN: true }),
  deviation: fc.double({ min: 20, max: 350, noNaN: true }),
  volatility: fc.double({ min: 0.01, max: 0.12, noNaN: true }),
})
const game = fc.record({ opponent: glicko, score: fc.constantFrom(0, 0.5, 1) })

describe('Glicko-2', () => {
  test('gives the numbers of the example in the paper', () => {
    const player = { rating: 1500, deviation: 200, volatility: 0.06 }
    const after = rate(player, [
      { opponent: { rating: 1400, deviation: 30 }, score: 1 },
      { opponent: { rating: 1550, deviation: 100 }, score: 0 },
      { opponent: { rating: 1700, deviation: 300 }, score: 0 },
    ])
    expect(after.rating).toBeCloseTo(1464.06, 1)
    expect(after.deviation).toBeCloseTo(151.52, 1)
    // The paper cuts digits off.
    expect(Math.floor(after.volatility * 100_000) / 100_000).toBe(0.05999)
  })

  test('makes an idle player less certain, up to the deviation of somebody who has not played', () => {
    const player = { rating: 1700, deviation: 50, volatility: 0.06 }
    const { deviation, ...rest } = rate(player, [], 73)
    expect(rest).toEqual({ rating: 1700, volatility: 0.06 })
    expect(deviation).toBeCloseTo(102, 0)
    expect(rate(player, [], 1e9).deviation).toBe(UNRATED.deviation)
  })

  test('gives numbers that make sense for any results', () => {
    fc.assert(
      fc.property(
        glicko,
        fc.array(game, { maxLength: 15 }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (player, games, periods) => {
          const after = rate(player, games, periods)
          expect(Object.values(after).every(Number.isFinite)).toBe(true)
          expect(after.deviation).toBeGreaterThan(0)
          expect(after.deviation).toBeLessThanOrEqual(UNRATED.deviation)
          expect(after.volatility).toBeGreaterThan(0)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('moves the rating up for a win and down for a loss', () => {
    fc.assert(
      fc.property(glicko, glicko, (player, opponent) => {
        expect(rate(player, [{ opponent, score: 1 }]).rating).toBeGreaterThanOrEqual(player.rating)
        expect(rate(player, [{ opponent, score: 0 }]).rating).toBeLessThanOrEqual(player.rating)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a match', () => {
  const of = (placement: number, own: Partial<Glicko> = {}, idleMs = 0) => ({
    placement,
    glicko: { ...UNRATED, ...own },
    idleMs,
  })
  const ratings = (players: Parameters<typeof rateMatch>[0]) => rateMatch(players).map(({ rating }) => rating)

  test('of two equals moves both by as much, and a draw moves nobody', () => {
    const [winner = 0, loser = 0] = ratings([of(1), of(2)])
    expect(winner).toBeCloseTo(1662.3, 0)
    expect(winner - 1500).toBeCloseTo(1500 - loser, 9)
    expect(ratings([of(1), of(1)])).toEqual([1500, 1500])
  })

  test('of several players counts as a game against each other player', () => {
    const [first = 0, second = 0, third = 0, fourth = 0] = ratings([of(1), of(2), of(2), of(4)])
    expect(second).toBeCloseTo(third, 9)
    expect([first, second, fourth].map((rating) => Math.sign(Math.round(rating - 1500)))).toEqual([1, 0, -1])
  })

  test('depends on no order of its players', () => {
    const players = fc.array(fc.record({ placement: fc.integer({ min: 1, max: 4 }), glicko, idleMs: fc.nat() }), {
      minLength: 2,
      maxLength: 8,
    })
    fc.assert(
      fc.property(players, (all) => {
        const there = ratings(all)
        const back = ratings([...all].reverse()).reverse()
        for (const [index, rating] of there.entries()) expect(rating).toBeCloseTo(back[index] ?? 0, 6)
      }),
      { numRuns: 300 },
    )
  })

  test('moves somebody who comes back after a long time more than somebody who played yesterday', () => {
    const seasoned = { deviation: 50 }
    const [, soon = 0] = ratings([of(1, seasoned), of(2, seasoned, 86_400_000)])
    const [, late = 0] = ratings([of(1, seasoned), of(2, seasoned, 400 * 86_400_000)])
    expect(1500 - late).toBeGreaterThan(2 * (1500 - soon))
  })
})
