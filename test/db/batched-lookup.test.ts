import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test as pure } from 'vitest'
import { batched } from '../../src/db/batched-lookup.ts'
import { isUnavailable, Overloaded } from '../../src/db/retry.ts'
import { statement } from '../../src/db/sql.ts'
import { databaseTest } from '../support/database-test.ts'
import { createUser } from './users.ts'

const test = databaseTest()

interface Asked {
  readonly keys: readonly number[]
  answer(): void
  fail(error: Error): void
}

/** A look-up whose queries are answered by hand: each key with its double, but not odd ones. */
function scene(options?: Parameters<typeof batched>[1]) {
  const asked: Asked[] = []
  const find = batched<number, number>(
    (keys) =>
      new Promise((resolve, reject) => {
        const even = keys.filter((key) => key % 2 === 0)
        asked.push({ keys, answer: () => resolve(new Map(even.map((key) => [key, key * 2]))), fail: reject })
      }),
    options,
  )
  return { find, asked }
}

test('finds rows by their keys in one statement', async ({ database }) => {
  const ids = await Promise.all([createUser(database.db), createUser(database.db)])
  const byIds = statement<{ id: string }>('test.users', 'SELECT id FROM users WHERE id = ANY($1)')
  let statements = 0
  const find = batched(async (keys: readonly string[]) => {
    statements++
    return new Map((await database.sql.rows(byIds, [keys])).map((row) => [row.id, row]))
  })
  expect(await Promise.all([ids[0] ?? '', 'nobody', ids[1] ?? ''].map(find))).toEqual([
    { id: ids[0] },
    undefined,
    { id: ids[1] },
  ])
  expect(statements).toBe(1)
})

pure('all keys of one turn are one query, a key that is asked for twice too', async () => {
  const { find, asked } = scene()
  const found = [find(2), find(3), find(2)]
  void Promise.resolve().then(() => found.push(find(4)))
  await turn()
  expect(asked.map(({ keys }) => keys)).toEqual([[2, 3, 4]])
  asked[0]?.answer()
  expect(await Promise.all(found)).toEqual([4, undefined, 4, 8])
})

pure('a key that is asked for while its query runs is asked for again', async () => {
  const { find, asked } = scene()
  const first = find(2)
  await turn()
  const second = find(2)
  await turn()
  expect(asked).toHaveLength(2)
  asked[1]?.answer()
  expect(await second).toBe(4)
  asked[0]?.answer()
  expect(await first).toBe(4)
})

describe('bounds', () => {
  pure('no query has more keys, and no more run at once, than allowed', async () => {
    const { find, asked } = scene({ maxKeys: 2, maxRunning: 1 })
    const found = Promise.all([2, 4, 6, 8, 10].map(find))
    await turn()
    expect(asked.map(({ keys }) => keys)).toEqual([[2, 4]])
    asked[0]?.answer()
    await expect.poll(() => asked.length).toBe(2)
    asked[1]?.answer()
    await expect.poll(() => asked.length).toBe(3)
    asked[2]?.answer()
    expect(await found).toEqual([4, 8, 12, 16, 20])
    expect(asked.map(({ keys }) => keys)).toEqual([[2, 4], [6, 8], [10]])
  })

  pure('a key too many is refused at once, as a database that is busy', async () => {
    const { find } = scene({ maxWaiting: 1 })
    void find(2)
    const refused = find(4)
    await expect(refused).rejects.toThrow(Overloaded)
    expect(isUnavailable(await refused.catch((error: unknown) => error))).toBe(true)
  })

  pure('a key that has waited too long is refused', async () => {
    const { find, asked } = scene({ maxRunning: 1, maxWaitMs: 0 })
    const first = find(2).catch((error: unknown) => error)
    await turn()
    expect(asked).toEqual([])
    expect(await first).toBeInstanceOf(Overloaded)
  })
})

pure('a failure is that of each key of its query, and of no other', async () => {
  const { find, asked } = scene({ maxKeys: 2 })
  const found = Promise.allSettled([2, 4, 6].map(find))
  await turn()
  asked[0]?.fail(new Error('away'))
  asked[1]?.answer()
  expect((await found).map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message))).toEqual([
    'away',
    'away',
    12,
  ])
})
