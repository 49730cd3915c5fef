import { EventEmitter, once } from 'node:events'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { MIGRATIONS_DIR, MigrationError, migrate } from '../../src/db/migrate.ts'
import { createEmptyTestDatabase, type TestDatabase } from '../support/database.ts'
import { execute } from '../support/postgres.ts'
import { quietLog } from '../support/quiet-log.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

let database: TestDatabase
let dir: string
let applicationDir: string

beforeEach(async () => {
  database = await createEmptyTestDatabase()
  dir = await mkdtemp(join(tmpdir(), 'rally-migrations-'))
  applicationDir = await mkdtemp(join(tmpdir(), 'rally-migrations-'))
})
afterEach(async () => {
  await database.drop()
  for (const folder of [dir, applicationDir]) await rm(folder, { recursive: true, force: true })
})

async function addMigration(name: string, script: string, to = dir): Promise<void> {
  await mkdir(join(to, name), { recursive: true })
  await writeFile(join(to, name, 'migration.sql'), script)
}

const run = (options: { timeoutMs?: number; applicationDir?: string } = {}) =>
  migrate({ databaseUrl: database.url, migrationsDir: dir, log: quietLog, ...options })

const history = async (table = '_prisma_migrations') => {
  const { rows } = await execute(
    database.url,
    `SELECT migration_name AS name, finished_at IS NOT NULL AS done FROM ${table} ORDER BY finished_at`,
  )
  return rows
}

test('five nodes that start at once on an empty database make one history', async () => {
  await cp(MIGRATIONS_DIR, dir, { recursive: true })
  await addMigration('29990101000000_slow', 'SELECT pg_sleep(0.2)')
  await Promise.all(Array.from({ length: 5 }, () => run()))
  const rows = await history()
  expect(rows.at(-1)).toEqual({ name: '29990101000000_slow', done: true })
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length)
  await execute(database.url, 'SELECT id FROM users')
})

test('runs only what is new', async () => {
  await addMigration('20260101000000_first', 'CREATE TABLE first ()')
  await run()
  await run()
  await addMigration('20260102000000_second', 'CREATE TABLE second ()')
  await run()
  expect(await history()).toEqual([
    { name: '20260101000000_first', done: true },
    { name: '20260102000000_second', done: true },
  ])
})

test('keeps nothing of a migration that fails, says why, and tries it again at the next start', async () => {
  await addMigration('20260101000000_first', 'CREATE TABLE first ()')
  await addMigration('20260102000000_second', 'CREATE TABLE half (); CREATE TABLE first ();')
  const failing = run()
  await expect(failing).rejects.toThrow(MigrationError)
  await expect(failing).rejects.toThrow('relation "first" already exists')
  const { rows } = await execute(database.url, "SELECT to_regclass('half') AS half")
  expect(rows).toEqual([{ half: null }])
  await expect(run()).rejects.toThrow('relation "first" already exists')
  await execute(database.url, 'DROP TABLE first')
  await run()
  await execute(database.url, 'TABLE half')
})

test('takes semicolons inside of strings and functions', async () => {
  await addMigration(
    '20260101000000_function',
    `CREATE FUNCTION twice(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN n := n * 2; RETURN n; END $$;
     CREATE TABLE notes AS SELECT 'a;b' AS text, twice(21) AS number;`,
  )
  await run()
  expect((await execute(database.url, 'TABLE notes')).rows).toEqual([{ text: 'a;b', number: 42 }])
})

test('runs on a database of a newer version, so that a release can be rolled back', async () => {
  await addMigration('20260101000000_first', 'CREATE TABLE first ()')
  await addMigration('20260102000000_second', 'CREATE TABLE second ()')
  await run()
  await rm(join(dir, '20260102000000_second'), { recursive: true })
  await run()
  expect((await history()).map(({ name }) => name)).toEqual(['20260101000000_first', '20260102000000_second'])
})

test('refuses a database whose newer migration is breaking', async () => {
  await addMigration('20260101000000_first', 'CREATE TABLE first ()')
  await addMigration('20260102000000_second', 'CREATE TABLE second ()')
  await addMigration('20260103000000_third', '-- breaking: nothing reads it any more\nDROP TABLE first')
  await run()
  await rm(join(dir, '20260102000000_second'), { recursive: true })
  await rm(join(dir, '20260103000000_third'), { recursive: true })
  await expect(run()).rejects.toThrow('it has 20260103000000_third. Start that version')
})

test('refuses a database with another history', async () => {
  await addMigration('20260101000000_theirs', 'CREATE TABLE theirs ()')
  await run()
  await rm(join(dir, '20260101000000_theirs'), { recursive: true })
  await addMigration('20260101000000_ours', 'CREATE TABLE ours ()')
  await expect(run()).rejects.toThrow('another history than this version of Rally: it has 20260101000000_theirs')
})

test('refuses when a migration that ran was changed', async () => {
  await addMigration('20260101000000_first', 'CREATE TABLE first ()')
  await run()
  await addMigration('20260101000000_first', 'CREATE TABLE first (id int)')
  await expect(run()).rejects.toThrow('Migrations of Rally were changed after they ran here: 20260101000000_first')
})

test("an application's migrations run after Rally's, and both can grow", async () => {
  await addMigration('20260102000000_players', 'CREATE TABLE players (id text PRIMARY KEY)')
  await addMigration('20260101000000_shop', 'CREATE TABLE shop (player text REFERENCES players)', applicationDir)
  await Promise.all([run({ applicationDir }), run({ applicationDir })])
  await addMigration('20260103000000_names', 'ALTER TABLE players ADD name text')
  await addMigration('20260104000000_prices', 'ALTER TABLE shop ADD price int', applicationDir)
  await run({ applicationDir })
  expect(await history()).toEqual([
    { name: '20260102000000_players', done: true },
    { name: '20260103000000_names', done: true },
  ])
  expect(await history('_application_migrations')).toEqual([
    { name: '20260101000000_shop', done: true },
    { name: '20260104000000_prices', done: true },
  ])
  await execute(database.url, 'SELECT name, price FROM shop LEFT JOIN players ON id = player')
})

test("what is wrong with an application's migrations is said to be the application's", async () => {
  await addMigration('20260101000000_first', 'CREATE TABLE first ()')
  await addMigration('20260101000000_shop', 'CREATE TABLE shop ()', applicationDir)
  await addMigration('20260102000000_broken', 'CREATE TABLE shop ()', applicationDir)
  await expect(run({ applicationDir })).rejects.toThrow(
    '20260102000000_broken of the application failed and left nothing',
  )
  await addMigration('20260102000000_broken', '-- breaking\nCREATE TABLE till ()', applicationDir)
  await run({ applicationDir })
  await addMigration('20260101000000_shop', 'CREATE TABLE shop (id int)', applicationDir)
  await expect(run({ applicationDir })).rejects.toThrow(
    'Migrations of the application were changed after they ran here: 20260101000000_shop',
  )
  await rm(join(applicationDir, '20260102000000_broken'), { recursive: true })
  await expect(run({ applicationDir })).rejects.toThrow(
    'newer version of the application, which this one cannot run on: it has 20260102000000_broken',
  )
})

test.each([
  ['add_scores', 'migration.sql', 'add_scores is not a name like'],
  ['20260101000000_shop', 'up.sql', 'cannot be read'],
])('a folder %s with %s is refused, not passed over', async (name, file, message) => {
  await addMigration('20260101000000_first', 'CREATE TABLE first ()')
  await mkdir(join(applicationDir, name))
  await writeFile(join(applicationDir, name, file), 'CREATE TABLE shop ()')
  await expect(run({ applicationDir })).rejects.toThrow(message)
  await expect(run({ applicationDir: join(applicationDir, 'nowhere') })).rejects.toThrow('cannot be read')
})

test('gives up when another node does not finish its migration in time', async () => {
  await addMigration('20260101000000_slow', 'SELECT pg_sleep(30)')
  const slow = run()
  await expect
    .poll(() =>
      execute(database.url, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'").then((r) => r.rowCount),
    )
    .toBe(1)
  await expect(run({ timeoutMs: 1500 })).rejects.toThrow('Another node did not end its migration in time')
  await Promise.all([
    expect(slow).rejects.toThrow('canceling statement due to user request'),
    execute(database.url, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"),
  ])
})

test('stops a migration that takes longer than it may', async () => {
  await addMigration('20260101000000_slow', 'SELECT pg_sleep(30)')
  await expect(run({ timeoutMs: 1500 })).rejects.toThrow('canceling statement due to statement timeout')
})

test('waits for a database that is still starting, and reports one that does not start', async () => {
  await addMigration('20260101000000_first', 'CREATE TABLE first ()')
  const proxy = await startTcpProxy()
  const { hostname, port } = new URL(database.url)
  const url = new URL(database.url)
  url.host = `127.0.0.1:${proxy.port}`
  const options = { databaseUrl: url.href, migrationsDir: dir, log: quietLog }
  await expect(migrate({ ...options, connectTimeoutMs: 300 })).rejects.toThrow("The database can't be reached")
  const told = new EventEmitter()
  const log = { ...quietLog, debug: (_: object, message: string) => void told.emit(message) }
  const waiting = migrate({ ...options, log })
  await once(told, 'waiting for the database')
  proxy.leadTo({ host: hostname, port: Number(port) })
  await waiting
  expect(await history()).toHaveLength(1)
  await proxy.close()
})
