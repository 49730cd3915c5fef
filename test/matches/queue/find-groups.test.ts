import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findGroups, type Waiting, windowAfter } from '../../../src/modules/matches/queue/find-groups.ts'

const of = (userId: string, rating: number, waitedMs = 0): Waiting => ({ userId, rating, waitedMs })
const names = (groups: Waiting[][]) => groups.map((group) => group.map(({ userId }) => userId).sort())

test('a window begins at 50 and widens by 25 a second up to 500', () => {
  expect([0, 1_000, 10_000, 18_000, 3_600_000].map(windowAfter)).toEqual([50, 75, 300, 500, 500])
})

test('the player who has waited longest gets the nearest other one', () => {
  expect(names(findGroups([of('old', 1500, 4_000), of('far', 1590, 4_000), of('near', 1450, 1_000)], 2))).toEqual([
    ['near', 'old'],
  ])
})

test('the windows of both players count', () => {
  expect(findGroups([of('patient', 1500, 60_000), of('new', 1600)], 2)).toEqual([])
  expect(names(findGroups([of('patient', 1500, 60_000), of('new', 1600, 2_000)], 2))).toEqual([['new', 'patient']])
})

test('players of a larger match all fit one another', () => {
  const players = [of('a', 1500, 2_000), of('b', 1420, 2_000), of('c', 1580, 2_000), of('d', 1490, 2_000)]
  expect(names(findGroups(players, 3))).toEqual([['a', 'b', 'd']])
})

test('a player who would be left out is matched where others can change their partners', () => {
  const players = [of('b', 1530, 2_000), of('c', 1555, 1_000), of('a', 1500), of('d', 1600)]
  expect(names(findGroups(players, 2)).sort()).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ])
})

test('of players with one window, as many as possible are matched', () => {
  const crowd = fc.array(fc.integer({ min: 1_200, max: 1_800 }), { maxLength: 60 })
  fc.assert(
    fc.property(crowd, fc.integer({ min: 0, max: 10_000 }), (ratings, waitedMs) => {
      const players = ratings.map((rating, index) => of(`${index}`, rating, waitedMs))
      const sorted = ratings.toSorted((a, b) => a - b)
      let possible = 0
      for (let place = 0; place + 1 < sorted.length; place++) {
        const gap = (sorted[place + 1] ?? 0) - (sorted[place] ?? 0)
        if (gap > windowAfter(waitedMs)) continue
        possible++
        place++
      }
      expect(findGroups(players, 2)).toHaveLength(possible)
    }),
    { numRuns: 500 },
  )
})

test('nobody is in two matches, and no window is exceeded, whoever waits', () => {
  const waiting = fc.array(fc.tuple(fc.integer({ min: 800, max: 2_400 }), fc.integer({ min: 0, max: 40_000 })), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(waiting, fc.integer({ min: 2, max: 4 }), (all, size) => {
      const players = all.map(([rating, waitedMs], index) => of(`${index}`, rating, waitedMs))
      players.sort((a, b) => b.waitedMs - a.waitedMs)
      const groups = findGroups(players, size)
      const seated = groups.flat()
      expect(new Set(seated).size).toBe(seated.length)
      const fits = (a: Waiting, b: Waiting) =>
        Math.abs(a.rating - b.rating) <= Math.min(windowAfter(a.waitedMs), windowAfter(b.waitedMs))
      for (const group of groups) {
        expect(group).toHaveLength(size)
        for (const a of group) for (const b of group) expect(fits(a, b)).toBe(true)
      }
      if (size > 2) return
      const left = players.filter((player) => !seated.includes(player))
      for (const a of left) for (const b of left) if (a !== b) expect(fits(a, b)).toBe(false)
    }),
    { numRuns: 500 },
  )
})
