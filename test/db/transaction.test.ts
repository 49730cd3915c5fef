import { randomUUID } from 'node:crypto'
import { describe, expect } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { isUnavailable } from '../../src/db/retry.ts'
import { type Sql, statement } from '../../src/db/sql.ts'
import { databaseTest } from '../support/database-test.ts'

const test = databaseTest()
  .extend('one', { scope: 'file' }, ({ testDatabase }) => testDatabase.open({ poolSize: 1, connectTimeoutMs: 500 }))
  .extend('hasty', { scope: 'file' }, ({ testDatabase }) =>
    testDatabase.open({ poolSize: 1, transactionTimeoutMs: 200 }),
  )

const ENTER = statement('test.enter', 'INSERT INTO nodes (id) VALUES ($1)')
const FIND = statement<{ id: string }>('test.find', 'SELECT id FROM nodes WHERE id = $1')
const BROKEN = statement('test.broken', 'SELECT 1 / $1::int')
const PID = statement<{ pid: number }>('test.pid', 'SELECT pg_backend_pid() AS pid')
const SLEEP = statement('test.sleep', 'SELECT pg_sleep($1)')

const isThere = async (sql: Sql, id: string) => (await sql.first(FIND, [id])) !== null

/** The pool's only connection is free again, and it is in no transaction: its time goes on. */
async function expectFree({ sql }: Database): Promise<void> {
  const now = statement<{ now: string }>('test.now', 'SELECT now()::text')
  expect(await sql.first(now)).not.toEqual(await sql.first(now))
}

test('its writes are visible after the commit, and not before', async ({ one, database }) => {
  const id = randomUUID()
  const answer = await one.transaction(async ({ sql }) => {
    await sql.rows(ENTER, [id])
    expect([await isThere(sql, id), await isThere(database.sql, id)]).toEqual([true, false])
    return 'done'
  })
  expect(answer).toBe('done')
  expect(await isThere(database.sql, id)).toBe(true)
  await expectFree(one)
})

test('its writes are rolled back when the work throws', async ({ one }) => {
  const id = randomUUID()
  const work = one.transaction(async ({ sql }) => {
    await sql.rows(ENTER, [id])
    throw new Error('on second thought')
  })
  await expect(work).rejects.toThrow('on second thought')
  expect(await isThere(one.sql, id)).toBe(false)
  await expectFree(one)
})

describe('a statement that fails', () => {
  test('in the middle of a pipeline rejects it and those after it, and nothing is committed', async ({ one }) => {
    const [before, after] = [randomUUID(), randomUUID()]
    const settled = await one
      .transaction(({ sql }) =>
        Promise.allSettled([sql.rows(ENTER, [before]), sql.rows(BROKEN, [0]), sql.rows(ENTER, [after])]),
      )
      .catch((error: unknown) => error)
    expect(settled).toMatchObject({ message: 'division by zero', code: '22012' })
    expect([await isThere(one.sql, before), await isThere(one.sql, after)]).toEqual([false, false])
    await expectFree(one)
    await one.transaction(({ sql }) => sql.rows(ENTER, [after]))
    expect(await isThere(one.sql, after)).toBe(true)
  })

  test('that nobody waited for fails the commit', async ({ one }) => {
    const id = randomUUID()
    const work = one.transaction(async ({ sql }) => {
      await sql.rows(ENTER, [id])
      void sql.rows(BROKEN, [0])
    })
    await expect(work).rejects.toThrow('division by zero')
    expect(await isThere(one.sql, id)).toBe(false)
    await expectFree(one)
  })

  test('before it was sent rolls back too', async ({ one }) => {
    const id = randomUUID()
    const unsendable = {
      toPostgres() {
        throw new Error('not a value')
      },
    }
    const work = one.transaction(async ({ sql }) => {
      await sql.rows(ENTER, [id])
      void sql.rows(ENTER, [unsendable])
    })
    await expect(work).rejects.toThrow('not a value')
    expect(await isThere(one.sql, id)).toBe(false)
    await expectFree(one)
  })

  test('outside of a transaction does not close its connection', async ({ one }) => {
    const before = await one.sql.first(PID)
    await expect(one.sql.rows(BROKEN, [0])).rejects.toThrow('division by zero')
    expect(await one.sql.first(PID)).toEqual(before)
  })
})

test('a statement that nobody waited for is committed', async ({ one }) => {
  const id = randomUUID()
  await one.transaction(async ({ sql }) => {
    void sql.rows(ENTER, [id])
  })
  expect(await isThere(one.sql, id)).toBe(true)
})

describe('Prisma in a transaction', () => {
  test('is in the same transaction as the statements', async ({ one, database }) => {
    const [byStatement, byModel] = [randomUUID(), randomUUID()]
    await one.transaction(async ({ sql, db }) => {
      await sql.rows(ENTER, [byStatement])
      expect(await db.node.findUnique({ where: { id: byStatement } })).toMatchObject({ id: byStatement })
      await db.node.create({ data: { id: byModel } })
      expect([await isThere(sql, byModel), await isThere(database.sql, byModel)]).toEqual([true, false])
      const [pids] = await db.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`
      expect(pids).toEqual(await sql.first(PID))
    })
    expect([await isThere(one.sql, byStatement), await isThere(one.sql, byModel)]).toEqual([true, true])
    await expectFree(one)
  })

  test('is rolled back with it', async ({ one }) => {
    const [byStatement, byModel] = [randomUUID(), randomUUID()]
    const work = one.transaction(async ({ sql, db }) => {
      await db.node.create({ data: { id: byModel } })
      await sql.rows(ENTER, [byStatement])
      await db.node.create({ data: { id: byStatement } })
    })
    await expect(work).rejects.toMatchObject({ code: 'P2002' })
    expect([await isThere(one.sql, byStatement), await isThere(one.sql, byModel)]).toEqual([false, false])
    await expectFree(one)
  })

  test('never has the connection of another', async ({ database }) => {
    const work = () =>
      database.transaction(async ({ sql, db }) => {
        const [other] = await db.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`
        return [(await sql.first(PID))?.pid, other?.pid]
      })
    const pids = await Promise.all(Array.from({ length: 40 }, work))
    expect(pids.filter(([own, prisma]) => own === undefined || own !== prisma)).toEqual([])
    expect(new Set(pids.map(([own]) => own)).size).toBeGreaterThan(1)
  })

  test('refuses calls after its end', async ({ one }) => {
    let late: unknown
    await one.transaction(async (transaction) => {
      await transaction.db.node.count()
      late = transaction
    })
    const { db, sql } = late as Parameters<Parameters<Database['transaction']>[0]>[0]
    await expect(db.node.count()).rejects.toThrow()
    await expect(sql.rows(PID)).rejects.toThrow('the transaction is over')
    await expectFree(one)
  })
})

describe('the deadline of a transaction', () => {
  test('ends a transaction that waits for something else, and refuses later statements', async ({ hasty }) => {
    const id = randomUUID()
    const work = hasty.transaction(async ({ sql }) => {
      await sql.rows(ENTER, [id])
      await expectFree(hasty)
      await sql.rows(PID)
    })
    await expect(work).rejects.toThrow('took longer than 200 ms')
    expect(isUnavailable(await work.catch((error: unknown) => error))).toBe(true)
    expect(await isThere(hasty.sql, id)).toBe(false)
  })

  test('refuses Prisma and the commit the same way', async ({ hasty }) => {
    const byPrisma = hasty.transaction(async ({ db }) => {
      await db.node.count()
      await expectFree(hasty)
      await db.node.count()
    })
    expect(isUnavailable(await byPrisma.catch((error: unknown) => error))).toBe(true)
    const atCommit = hasty.transaction(async ({ sql }) => {
      await sql.rows(PID)
      await expectFree(hasty)
    })
    expect(isUnavailable(await atCommit.catch((error: unknown) => error))).toBe(true)
    await expectFree(hasty)
  })

  test('waits for the statement that runs', async ({ hasty }) => {
    const work = hasty.transaction(({ sql }) => sql.rows(SLEEP, [0.5]))
    expect(isUnavailable(await work.catch((error: unknown) => error))).toBe(true)
    await expectFree(hasty)
  })
})

test('a connection that breaks in a transaction is not used again', async ({ one, database }) => {
  const id = randomUUID()
  const work = one.transaction(async ({ sql, db }) => {
    await sql.rows(ENTER, [id])
    const pid = (await sql.first(PID))?.pid
    await database.sql.rows(statement('test.terminate', 'SELECT pg_terminate_backend($1)'), [pid])
    await db.node.count()
  })
  expect(isUnavailable(await work.catch((error: unknown) => error))).toBe(true)
  expect(await isThere(one.sql, id)).toBe(false)
  await expectFree(one)
})

test('values have the documented types', async ({ one }) => {
  const types = statement(
    'test.types',
    `SELECT 9007199254740991::int8 AS "big", '2026-03-29T01:30:00.123Z'::timestamptz AS "at", '{"a":[1]}'::jsonb AS "json",
       '\\x00ff'::bytea AS "bytes", 1.5::numeric AS "exact", $1::timestamptz AS "sent", NULL AS "nothing"`,
  )
  const sent = new Date('2026-10-25T00:30:00.456Z')
  expect(await one.sql.first(types, [sent])).toEqual({
    big: 9007199254740991,
    at: new Date('2026-03-29T01:30:00.123Z'),
    json: { a: [1] },
    bytes: Buffer.from([0, 255]),
    exact: '1.5',
    sent,
    nothing: null,
  })
  await expect(one.sql.first(statement('test.big', 'SELECT 9007199254740993::int8'))).rejects.toThrow('no safe integer')
})

test('each text is prepared once per connection, by statements and by Prisma', async ({ one }) => {
  const id = randomUUID()
  for (let round = 0; round < 3; round++) {
    await one.sql.first(FIND, [id])
    await one.db.node.findFirst({ where: { id } })
    await one.transaction(({ db }) => db.node.findFirst({ where: { id } }))
  }
  const prepared = statement<{ name: string; times: number }>(
    'test.prepared',
    `SELECT name, generic_plans + custom_plans AS "times" FROM pg_prepared_statements WHERE statement LIKE '%nodes%'`,
  )
  const rows = await one.sql.rows(prepared)
  expect(rows.find(({ name }) => name === 'test.find')?.times).toBeGreaterThanOrEqual(3)
  expect(rows.filter(({ name, times }) => name.startsWith('prisma_') && times >= 6)).toHaveLength(1)
})
