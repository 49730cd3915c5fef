import { randomUUID } from 'node:crypto'
import { describe, expect } from 'vitest'
import type { Database, Transaction } from '../../src/db/database.ts'
import { isUnavailable, Overloaded } from '../../src/db/retry.ts'
import { createOnce, KEEP_MINUTES, OnceConflict } from '../../src/db/stored-answers.ts'
import { within } from '../support/client.ts'
import type { TestDatabase } from '../support/database.ts'
import { databaseTest } from '../support/database-test.ts'
import { type Direction, startFaultProxy } from '../support/fault-proxy.ts'
import { createUser } from './users.ts'

const test = databaseTest()
  .extend('one', { scope: 'file' }, ({ database }) => database)
  .extend('other', { scope: 'file' }, ({ testDatabase }) => testDatabase.open())

/** A key of a new user, and how to count and read what its writes did. */
async function scene(one: Database) {
  const userId = await createUser(one.db)
  const attempt = `effect/${userId}`
  return {
    key: { userId, eid: randomUUID(), type: 'matches.create' },
    effect: ({ db }: Pick<Transaction, 'db'>) =>
      db.attempt.upsert({
        where: { key: attempt },
        create: { key: attempt, failures: 1, windowStart: new Date() },
        update: { failures: { increment: 1 } },
      }),
    effects: async () => (await one.db.attempt.findUnique({ where: { key: attempt } }))?.failures ?? 0,
  }
}

class Declared extends Error {}
const answerOf = (error: unknown) => (error instanceof Declared ? `error: ${error.message}` : undefined)

describe('a write with one key', () => {
  test('requested 20 times at once on two nodes happens once, and all get its answer', async ({ one, other }) => {
    const { key, effect, effects } = await scene(one)
    const nodes = [createOnce(one), createOnce(other)]
    let executions = 0
    const runs = Array.from({ length: 20 }, (_, index) =>
      nodes[index % 2]?.run(key, async (tx) => {
        executions++
        await effect(tx)
        return `answer ${executions}`
      }),
    )
    const results = await Promise.all(runs)
    expect(results.map((result) => result?.answer)).toEqual(Array(20).fill('answer 1'))
    expect(results.filter((result) => result?.executed)).toHaveLength(1)
    expect([executions, await effects()]).toEqual([1, 1])
  })

  test('answers the same after a restart', async ({ one, other }) => {
    const { key } = await scene(one)
    await createOnce(one).run(key, async () => 'first')
    await expect(createOnce(other).run(key, async () => 'second')).resolves.toEqual({
      answer: 'first',
      executed: false,
    })
  })

  test('is rolled back when it throws, and a retry executes it', async ({ one }) => {
    const { key, effect, effects } = await scene(one)
    const once = createOnce(one)
    const broken = once.run(
      key,
      async (tx) => {
        await effect(tx)
        throw new Error('the process broke')
      },
      answerOf,
    )
    await expect(broken).rejects.toThrow('the process broke')
    expect(await effects()).toBe(0)
    const retried = await once.run(key, async (tx) => {
      await effect(tx)
      return 'done'
    })
    expect(retried).toEqual({ answer: 'done', executed: true })
    expect(await effects()).toBe(1)
  })

  test('keeps the answer of a declared failure without its effects', async ({ one }) => {
    const { key, effect, effects } = await scene(one)
    const once = createOnce(one)
    const first = await once.run(
      key,
      async (tx) => {
        await effect(tx)
        throw new Declared('MATCH_FULL')
      },
      answerOf,
    )
    expect(first).toEqual({ answer: 'error: MATCH_FULL', executed: false })
    expect(await effects()).toBe(0)
    const retried = await once.run(key, async () => 'now it would work', answerOf)
    expect(retried).toEqual({ answer: 'error: MATCH_FULL', executed: false })
  })

  test('that failed while another node waited has the stored answer', async ({ one, other }) => {
    const { key } = await scene(one)
    const started = deferred()
    const release = deferred()
    const failing = createOnce(one).run(
      key,
      async () => {
        started.resolve(undefined)
        await release.promise
        throw new Declared('TOO_EARLY')
      },
      answerOf,
    )
    await started.promise
    const waiting = createOnce(other).run(key, async () => 'worked', answerOf)
    await somebodyWaitsForALock(one)
    release.resolve(undefined)
    const [first, second] = await Promise.all([failing, waiting])
    expect(first.answer).toBe(second.answer)
    expect(first.executed).toBe(false)
    expect(second.executed).toBe(second.answer === 'worked')
  })

  test('is refused for another type', async ({ one }) => {
    const { key } = await scene(one)
    const once = createOnce(one)
    await once.run(key, async () => 'created')
    await expect(once.run({ ...key, type: 'matches.join' }, async () => 'joined')).rejects.toThrow(OnceConflict)
    const release = deferred()
    const eid = randomUUID()
    const running = once.run({ ...key, eid }, async () => {
      await release.promise
      return 'created'
    })
    const meanwhile = once.run({ ...key, eid, type: 'matches.join' }, async () => 'joined')
    await expect(meanwhile).rejects.toThrow(OnceConflict)
    release.resolve(undefined)
    await running
  })

  test('survives a connection that breaks before the commit', async ({ one, other }) => {
    const { key, effect, effects } = await scene(one)
    let executions = 0
    const result = await createOnce(one).run(key, async (tx) => {
      executions++
      await effect(tx)
      if (executions === 1) {
        const [session] = await tx.db.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`
        await other.db.$queryRaw`SELECT pg_terminate_backend(${session?.pid ?? 0}::int)`
      }
      return 'done'
    })
    expect(result).toEqual({ answer: 'done', executed: true })
    expect([executions, await effects()]).toEqual([2, 1])
  })
})

describe('a commit whose answer is lost', () => {
  test('is not repeated, and counts as executed', async ({ one, testDatabase }) => {
    const { key, effect, effects } = await scene(one)
    await using line = await lineTo(testDatabase)
    const once = createOnce(line.database)
    line.cutAtCommit()
    let executions = 0
    const result = await once.run(key, async (transaction) => {
      executions++
      await effect(transaction)
      return 'done'
    })
    expect(line.cuts).toBe(1)
    expect(result).toEqual({ answer: 'done', executed: true })
    expect([executions, await effects()]).toEqual([1, 1])
  })

  test('is known when the database is back, and a retry waits for that', async ({ one, testDatabase }) => {
    const { key, effect } = await scene(one)
    await using line = await lineTo(testDatabase)
    const once = createOnce(line.database)
    line.cutAtCommit({ forGood: true })
    const first = once.run(key, async (transaction) => {
      await effect(transaction)
      return 'done'
    })
    await expect.poll(() => line.cuts).toBe(1)
    const retried = once.run(key, async () => 'again')
    expect(once.recall(key)).toBeInstanceOf(Promise)
    line.mend()
    expect(await first).toEqual({ answer: 'done', executed: true })
    expect(await retried).toEqual({ answer: 'done', executed: false })
  })

  test('is in doubt after a second, and then no retry waits for it', async ({ one, testDatabase }) => {
    const { key } = await scene(one)
    await using line = await lineTo(testDatabase)
    const once = createOnce(line.database)
    line.cutAtCommit({ forGood: true })
    const doubt = deferred()
    const first = once.run(
      key,
      async () => 'done',
      () => undefined,
      () => doubt.resolve(undefined),
    )
    await within(doubt.promise, 'the doubt')
    expect(() => once.recall(key)).toThrow(expect.toSatisfy(isUnavailable))
    line.mend()
    expect(await first).toEqual({ answer: 'done', executed: true })
    expect(once.recall(key)).toBe('done')
  })

  test('is distinguished from one that did not happen', async ({ one, testDatabase }) => {
    const { key, effect, effects } = await scene(one)
    await using line = await lineTo(testDatabase)
    const once = createOnce(line.database)
    let executions = 0
    const result = await once.run(key, async (transaction) => {
      if (++executions === 1) line.cutBeforeCommit()
      await effect(transaction)
      return `done in ${executions}`
    })
    expect(line.cuts).toBe(1)
    expect(result).toEqual({ answer: 'done in 2', executed: true })
    expect(await effects()).toBe(1)
  })
})

describe('an answer in memory', () => {
  test('is given without the database', async ({ one }) => {
    const { key } = await scene(one)
    let transactions = 0
    const once = createOnce({
      sql: one.sql,
      transaction(work) {
        transactions++
        return one.transaction(work)
      },
    })
    expect(once.recall(key)).toBeUndefined()
    const running = once.run(key, async () => 'first')
    expect(once.recall(key)).toBeInstanceOf(Promise)
    await running
    expect(once.recall(key)).toBe('first')
    expect(await once.run(key, async () => 'second')).toEqual({ answer: 'first', executed: false })
    expect(transactions).toBe(1)
    expect(() => once.recall({ ...key, type: 'matches.join' })).toThrow(OnceConflict)
  })

  test('can be an error, or the answer of another process', async ({ one, other }) => {
    const { key } = await scene(one)
    const [here, there] = [createOnce(one), createOnce(other)]
    const failing = async () => {
      throw new Declared('MATCH_FULL')
    }
    await there.run(key, failing, answerOf)
    expect(here.recall(key)).toBeUndefined()
    await here.run(key, async () => 'works')
    expect([there.recall(key), here.recall(key)]).toEqual(Array(2).fill('error: MATCH_FULL'))
  })

  test('is forgotten when there are too many, or they are too large', async ({ one }) => {
    const { key } = await scene(one)
    const few = createOnce(one, { maxCount: 2 })
    for (const eid of ['a', 'b', 'c']) await few.run({ ...key, eid }, async () => eid)
    expect(['a', 'b', 'c'].map((eid) => few.recall({ ...key, eid }))).toEqual([undefined, 'b', 'c'])
    const small = createOnce(one, { maxBytes: 10_000 })
    await small.run({ ...key, eid: 'd' }, async () => 'd')
    await small.run({ ...key, eid: 'e' }, async () => 'e'.repeat(4_800))
    expect(['d', 'e'].map((eid) => small.recall({ ...key, eid }))).toEqual([undefined, 'e'.repeat(4_800)])
  })
})

test('writes of different users with the same eid are independent', async ({ one }) => {
  const [a, b] = await Promise.all([scene(one), scene(one)])
  const once = createOnce(one)
  const results = await Promise.all([
    once.run(a.key, async () => 'a'),
    once.run({ ...b.key, eid: a.key.eid }, async () => 'b'),
  ])
  expect(results.map(({ answer }) => answer)).toEqual(['a', 'b'])
})

test(`an answer older than ${KEEP_MINUTES} minutes is forgotten, and swept`, async ({ one }) => {
  const { key } = await scene(one)
  let now = 0
  const once = createOnce(one, { now: () => now })
  const age = (minutes: number) => {
    now += minutes * 60_000
    return one.db.write.updateMany({
      where: { userId: key.userId },
      data: { createdAt: new Date(Date.now() - minutes * 60_000) },
    })
  }
  await once.run(key, async () => 'first')
  await age(KEEP_MINUTES - 1)
  expect((await once.run(key, async () => 'second')).answer).toBe('first')
  await age(KEEP_MINUTES + 1)
  expect(await once.run(key, async () => 'third')).toEqual({ answer: 'third', executed: true })
  expect(await once.sweep()).toBe(0)
  await age(KEEP_MINUTES + 1)
  await one.db.write.createMany({
    data: Array.from({ length: 2500 }, (_, index) => ({
      userId: key.userId,
      eid: `old ${index}`,
      type: 'x.y',
      answer: '',
      createdAt: new Date(0),
    })),
  })
  await once.run({ ...key, eid: 'new' }, async () => 'kept')
  expect(await once.sweep()).toBe(2501)
  expect(await one.db.write.findMany({ where: { userId: key.userId }, select: { eid: true } })).toEqual([
    { eid: 'new' },
  ])
})

test('refuses more at once than its bound', async ({ one }) => {
  const { key } = await scene(one)
  const once = createOnce(one, { maxRunning: 1 })
  const release = deferred()
  const running = once.run(key, async () => {
    await release.promise
    return 'done'
  })
  await expect(once.run({ ...key, eid: 'second' }, async () => 'no')).rejects.toThrow(Overloaded)
  release.resolve(undefined)
  await running
  await expect(once.run({ ...key, eid: 'second' }, async () => 'yes')).resolves.toMatchObject({ answer: 'yes' })
})

/** A database behind a connection that breaks at a commit. */
async function lineTo(testDatabase: TestDatabase) {
  const url = new URL(testDatabase.url)
  const proxy = await startFaultProxy(Number(url.port))
  url.host = new URL(proxy.url).host
  const database = await testDatabase.open({ url: url.href, connectTimeoutMs: 500 })
  let cuts = 0
  let broken = false
  const cutWhen = (direction: Direction, forGood: boolean) => {
    proxy.tap = (seen, chunk) => {
      const isCommit = cuts === 0 && seen === direction && chunk.includes('COMMIT')
      if (isCommit) {
        cuts++
        broken = forGood
      }
      if (isCommit || broken) proxy.cut()
    }
  }
  return {
    database,
    get cuts() {
      return cuts
    },
    /**
     * It breaks after Postgres has answered, before the answer arrives. With `forGood` no connection works until it is
     * repaired.
     */
    cutAtCommit: ({ forGood = false } = {}) => cutWhen('down', forGood),
    cutBeforeCommit: () => cutWhen('up', false),
    mend() {
      broken = false
    },
    async [Symbol.asyncDispose]() {
      await database.close()
      await proxy.close()
    },
  }
}

async function somebodyWaitsForALock({ db }: Database): Promise<void> {
  await expect.poll(() => db.$queryRaw`SELECT pid FROM pg_locks WHERE NOT granted`, { timeout: 5000 }).not.toEqual([])
}

function deferred(): { promise: Promise<unknown>; resolve(value: unknown): void } {
  let resolve: (value: unknown) => void = () => undefined
  const promise = new Promise((fulfil) => {
    resolve = fulfil
  })
  return { promise, resolve }
}
