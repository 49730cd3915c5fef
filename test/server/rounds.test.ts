import { expect, test } from 'vitest'
import { IncrementalSweep } from '../../src/rpc/index.ts'

const visited = (rounds: IncrementalSweep<number>, calls: number) => {
  const seen: number[] = []
  for (let i = 0; i < calls; i++) rounds.next((item) => seen.push(item))
  return seen
}

test('each item comes once in a round, a share at each call', () => {
  const all = new Set(Array.from({ length: 25 }, (_, item) => item))
  const rounds = new IncrementalSweep(all, 10)
  expect(visited(rounds, 1)).toEqual([0, 1, 2])
  expect(visited(rounds, 8)).toEqual([...all].slice(3))
  expect(visited(rounds, 9)).toEqual([...all])
})

test('adding and removing items does not affect the others', () => {
  const all = new Set([0, 1, 2, 3, 4, 5])
  const rounds = new IncrementalSweep(all, 3)
  expect(visited(rounds, 1)).toEqual([0, 1])
  all.delete(2)
  all.add(6)
  expect(visited(rounds, 2)).toEqual([3, 4, 5, 6])
})

test('an empty set has no items to visit', () => {
  expect(visited(new IncrementalSweep(new Set<number>(), 10), 3)).toEqual([])
})
