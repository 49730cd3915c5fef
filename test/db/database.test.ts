import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { isUnavailable } from '../../src/db/retry.ts'
import { statement } from '../../src/db/sql.ts'
import { createTestDatabase } from '../support/database.ts'
import { databaseTest } from '../support/database-test.ts'
import { databaseUrl, execute } from '../support/postgres.ts'
import { quietLog } from '../support/quiet-log.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { createUser } from './users.ts'

const test = databaseTest()

const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

test('a time comes back as it was stored, whatever zone the server is set to', async () => {
  await using moved = await createTestDatabase()
  await execute(moved.url, `ALTER DATABASE ${moved.name} SET timezone = 'America/New_York'`)
  const { db } = await moved.open()
  const startedAt = new Date('2026-03-29T01:30:00.123Z')
  await db.node.create({ data: { id: 'n', startedAt } })
  const row = await db.node.findUniqueOrThrow({ where: { id: 'n' } })
  expect(row.startedAt).toEqual(startedAt)
  expect(Math.abs(row.heartbeatAt.getTime() - Date.now())).toBeLessThan(60_000)
  const { rows } = await execute(moved.url, 'SELECT extract(epoch FROM started_at)::float8 AS seconds FROM nodes')
  expect(rows).toEqual([{ seconds: startedAt.getTime() / 1000 }])
})

test('options in the URL are kept together with our own', async ({ testDatabase }) => {
  const url = new URL(testDatabase.url)
  url.searchParams.set('options', '-c work_mem=5MB')
  const { db } = await testDatabase.open({ url: url.href })
  const rows = await db.$queryRaw`SELECT current_setting('work_mem') AS memory, current_setting('timezone') AS zone`
  expect(rows).toEqual([{ memory: '5MB', zone: 'UTC' }])
})

test('a statement, a transaction and a wait for a connection all end in time', async ({ testDatabase }) => {
  const { db } = await testDatabase.open({
    poolSize: 1,
    connectTimeoutMs: 200,
    statementTimeoutMs: 300,
    transactionTimeoutMs: 400,
  })
  const statement = await failureOf(db.$queryRaw`SELECT pg_sleep(20)::text`)
  expect(isUnavailable(statement)).toBe(true)

  let left: unknown
  const transaction = failureOf(
    db.$transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1`
      left = await failureOf(db.$queryRaw`SELECT 1`)
      await expect.poll(() => failureOf(tx.$queryRaw`SELECT 1`), { timeout: 5000 }).toBeDefined()
      await tx.$queryRaw`SELECT 1`
    }),
  )
  expect(isUnavailable(await transaction)).toBe(true)
  expect(isUnavailable(left)).toBe(true)
  expect(await db.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }])
})

test('a transaction that its process forgot is ended by the server', async ({ testDatabase }) => {
  const { db } = await testDatabase.open({ connectTimeoutMs: 2_000, transactionTimeoutMs: 200 })
  const rows = await db.$queryRaw`SELECT current_setting('idle_in_transaction_session_timeout') AS timeout`
  expect(rows).toEqual([{ timeout: '2200ms' }])
})

test('a unique violation is no failure of the database', async ({ database: { db, transaction } }) => {
  const id = await createUser(db)
  const again = db.user.create({ data: { ...(await db.user.findUniqueOrThrow({ where: { id } })), id: 'other' } })
  const inTransaction = transaction((tx) => tx.db.$executeRaw`INSERT INTO users SELECT * FROM users WHERE id = ${id}`)
  const failures = await Promise.all([failureOf(again), failureOf(inTransaction)])
  expect(failures.map((error) => error instanceof Error && !isUnavailable(error))).toEqual([true, true])
})

test('a database that stops makes queries fail, not the process, and is used again when it is back', async ({
  testDatabase,
}) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rally-client-'))
  const start = () => startEmbeddedPostgres({ dataDir, log: quietLog, durable: false })
  const proxy = await startTcpProxy()
  const lead = (url: string) => proxy.leadTo({ host: '127.0.0.1', port: Number(new URL(url).port) })
  const first = await start()
  lead(first.url)
  const url = new URL(first.url)
  url.port = String(proxy.port)
  const { db, ping, transaction } = await testDatabase.open({ url: url.href, connectTimeoutMs: 1000 })
  await Promise.all(Array.from({ length: 5 }, () => db.$queryRaw`SELECT pg_sleep(0.05)::text`))
  await ping(1000)

  const interrupted = failureOf(db.$queryRaw`SELECT pg_sleep(20)::text`)
  const inTransaction = failureOf(transaction((tx) => tx.db.$queryRaw`SELECT pg_sleep(20)::text`))
  await expect
    .poll(
      async () => (await execute(first.url, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).rowCount,
    )
    .toBe(2)
  await first.stop()
  proxy.leadTo(undefined)
  expect(isUnavailable(await interrupted)).toBe(true)
  expect(isUnavailable(await inTransaction)).toBe(true)
  expect(isUnavailable(await failureOf(db.user.findFirst()))).toBe(true)
  expect(isUnavailable(await failureOf(transaction(({ sql }) => sql.rows(statement('one', 'SELECT 1')))))).toBe(true)
  await expect(ping(1000)).rejects.toThrow()

  const second = await start()
  lead(second.url)
  expect(await db.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }])
  await ping(1000)
  await proxy.close()
  await second.stop()
  await rm(dataDir, { recursive: true, force: true })
})

test('a ping ends in time when the database does not answer', async ({ testDatabase }) => {
  const { createServer } = await import('node:net')
  const silent = createServer(() => undefined).listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const address = silent.address()
  const url = new URL(testDatabase.url)
  url.host = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const { ping, db } = await testDatabase.open({ url: url.href, connectTimeoutMs: 400 })
  await expect(ping(50)).rejects.toThrow('no answer in 50 ms')
  expect(isUnavailable(await failureOf(db.user.count()))).toBe(true)
  silent.close()
})

test('a Postgres that stops after the database is closed cuts no connection', async ({ testDatabase }) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rally-client-'))
  const lost: unknown[] = []
  const log = { ...quietLog, warn: (fields: unknown) => lost.push(fields) }
  for (let round = 0; round < 3; round++) {
    const postgres = await startEmbeddedPostgres({ dataDir, log: quietLog, durable: false })
    const { db, close } = await testDatabase.open({ url: postgres.url, log })
    await Promise.all(Array.from({ length: 10 }, () => db.$queryRaw`SELECT pg_sleep(0.05)::text`))
    const idle = await execute(postgres.url, "SELECT 1 FROM pg_stat_activity WHERE state = 'idle'")
    expect(idle.rowCount).toBeGreaterThan(4)
    await close()
    await postgres.stop()
  }
  expect(lost).toEqual([])
  await rm(dataDir, { recursive: true, force: true })
})

test('closing ends in time when the other end keeps connections open', async ({ testDatabase }) => {
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: Number(new URL(testDatabase.url).port) })
  const url = new URL(testDatabase.url)
  url.port = String(proxy.port)
  const { ping, close } = await testDatabase.open({ url: url.href })
  await ping(1000)
  proxy.stall()
  const began = performance.now()
  await close()
  expect(performance.now() - began).toBeLessThan(3000)
  await proxy.close()
})

test('closing ends every connection', async ({ testDatabase }) => {
  const own = await testDatabase.open({
    url: `${databaseUrl(testDatabase.url, testDatabase.name)}?application_name=closing`,
  })
  const connections = async () =>
    (await execute(testDatabase.url, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'closing'")).rowCount
  await Promise.all(Array.from({ length: 3 }, () => own.db.$queryRaw`SELECT pg_sleep(0.02)::text`))
  await own.ping(1000)
  expect(await connections()).toBe(4)
  await own.close()
  await own.close()
  await expect.poll(connections).toBe(0)
  expect(isUnavailable(await failureOf(own.db.user.count()))).toBe(true)
  expect(isUnavailable(await failureOf(own.transaction(({ sql }) => sql.rows(statement('one', 'SELECT 1')))))).toBe(
    true,
  )
})
