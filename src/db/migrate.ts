import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Log } from '../logger.ts'
import { connectionConfig, sessionSettings } from './pool.ts'
import { isUnavailable } from './retry.ts'

/** Rally's own migrations, seen from `src/db` and from `dist/db` alike. */
export const MIGRATIONS_DIR = fileURLToPath(new URL('../../prisma/migrations', import.meta.url))

/** An arbitrary number that every Rally uses: the node that holds this lock migrates. */
const LOCK_KEY = 7_255_901_433_270n

const MIGRATION_NAME = /^\d{14}_[a-z0-9_]+$/

/** The first line of a migration after which the versions before it cannot run any more, such as one that drops a column. */
const BREAKING = '-- breaking'

export interface MigrateOptions {
  readonly databaseUrl: string
  /** Rally's migrations. Default: those of this version. */
  readonly migrationsDir?: string
  /** The application's own migrations, which are applied after Rally's. */
  readonly applicationDir?: string | undefined
  readonly log: Log
  /** For everything, including the wait for other nodes. Default 120 s. */
  readonly timeoutMs?: number
  /** How long to wait for a database that is still starting. Default 30 s. */
  readonly connectTimeoutMs?: number
}

/** The database cannot be brought to this version. The message says why and what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}

interface Migration {
  readonly name: string
  readonly script: string
  readonly checksum: string
}

/** Migrations that follow one another, and the table that records which of them a database has. */
interface History {
  readonly owner: 'Rally' | 'the application'
  readonly table: string
  readonly migrations: readonly Migration[]
}

/**
 * Brings the database to this version's schema, and then to the application's. Several nodes may do so at once: one works,
 * the others wait for it. Each migration is one transaction; one that fails leaves nothing and is tried again at the next
 * start. A database of a newer version is left as it is, so that a release can be rolled back.
 *
 * @throws MigrationError when the database has a newer migration that is breaking, when it has another history, when a
 * migration was edited since, when a migration fails, or when the time is over
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const { databaseUrl, log, timeoutMs = 120_000, connectTimeoutMs = 30_000, applicationDir } = options
  const deadline = performance.now() + timeoutMs
  const rally = await readMigrations(options.migrationsDir ?? MIGRATIONS_DIR)
  // Prisma's own table with Prisma's own checksums, so that its tools understand it too.
  const histories: History[] = [{ owner: 'Rally', table: '_prisma_migrations', migrations: rally }]
  if (applicationDir !== undefined) {
    const migrations = await readMigrations(applicationDir)
    histories.push({ owner: 'the application', table: '_application_migrations', migrations })
  }
  const client = await connect(databaseUrl, Math.min(performance.now() + connectTimeoutMs, deadline), deadline, log)
  try {
    let isBehind = false
    for (const history of histories) {
      const { pending, newer } = await compare(client, history)
      isBehind ||= pending.length > 0
      if (newer.length > 0) log.warn({ newer }, `the database is of a newer version of ${history.owner}`)
    }
    if (!isBehind) return
    await client.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]).catch((cause: unknown) => {
      throw new MigrationError(`Another node did not end its migration in time: ${messageOf(cause)}`, { cause })
    })
    for (const history of histories) {
      const { pending } = await compare(client, history)
      if (pending.length === 0) continue
      await client.query(createTable(history.table))
      for (const migration of pending) await apply(client, history, migration, deadline)
      log.info({ applied: pending.map(({ name }) => name) }, `applied migrations of ${history.owner}`)
    }
  } finally {
    // Ends the session and with it the lock.
    await client.end().catch((error: unknown) => log.warn({ err: error }, 'closing the migration lock failed'))
  }
}

async function readMigrations(dir: string): Promise<Migration[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true })
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
    const wrong = names.find((name) => !MIGRATION_NAME.test(name))
    if (wrong !== undefined) throw new Error(`${wrong} is not a name like 20260131120000_add_scores`)
    if (names.length === 0) throw new Error('there are none')
    return await Promise.all(
      names.sort().map(async (name) => {
        const script = await readFile(join(dir, name, 'migration.sql'), 'utf8')
        return { name, script, checksum: createHash('sha256').update(script).digest('hex') }
      }),
    )
  } catch (error) {
    throw new MigrationError(`The migrations in ${dir} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

/** @param until when to give up on a database that is still starting; it and `deadline` are on the monotonic clock */
async function connect(url: string, until: number, deadline: number, log: Log): Promise<pg.Client> {
  for (;;) {
    const connectTimeoutMs = timeLeft(until)
    const statementTimeoutMs = timeLeft(deadline)
    const client = new pg.Client(connectionConfig({ url, connectTimeoutMs, statementTimeoutMs }))
    client.on('error', (error) => log.warn({ err: error }, 'the connection that holds the migration lock failed'))
    try {
      await client.connect()
      await client.query(sessionSettings(statementTimeoutMs))
      return client
    } catch (error) {
      await client.end().catch(() => undefined)
      if (!isUnavailable(error) || performance.now() > until) {
        throw new MigrationError(`The database can't be reached: ${messageOf(error)}`, { cause: error })
      }
      log.debug({ err: error }, 'waiting for the database')
      await delay(250)
    }
  }
}

interface Comparison {
  /** Migrations that the database does not have yet. */
  readonly pending: readonly Migration[]
  /** The names of those that it has from a newer version. */
  readonly newer: readonly string[]
}

/** @throws MigrationError when this version cannot run on the database */
async function compare(client: pg.Client, { owner, table, migrations }: History): Promise<Comparison> {
  const { rows: found } = await client.query<{ id: string | null }>('SELECT to_regclass($1) AS id', [table])
  if (found[0]?.id == null) return { pending: migrations, newer: [] }
  const { rows } = await client.query<{ name: string; checksum: string; logs: string | null }>(
    `SELECT migration_name AS name, checksum, logs FROM ${table}
     WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY migration_name`,
  )
  const own = new Set(migrations.map(({ name }) => name))
  const applied = new Map(rows.map(({ name, checksum }) => [name, checksum]))
  const pending = migrations.filter(({ name }) => !applied.has(name))
  const edited = migrations.filter(({ name, checksum }) => applied.has(name) && applied.get(name) !== checksum)
  const unknown = rows.filter(({ name }) => !own.has(name))
  const newer = unknown.map(({ name }) => name)
  if (newer.length > 0 && pending.length > 0) {
    throw new MigrationError(
      `The database has another history than this version of ${owner}: it has ${newer.join(', ')}. Was another program or branch run on it?`,
    )
  }
  const breaking = unknown.filter(({ logs }) => logs === BREAKING).map(({ name }) => name)
  if (breaking.length > 0) {
    throw new MigrationError(
      `The database is of a newer version of ${owner}, which this one cannot run on: it has ${breaking.join(', ')}. Start that version, or restore a backup.`,
    )
  }
  if (edited.length > 0) {
    const names = edited.map(({ name }) => name).join(', ')
    throw new MigrationError(
      `Migrations of ${owner} were changed after they ran here: ${names}. Restore their text and add a new migration instead.`,
    )
  }
  return { pending, newer }
}

/** The table as Prisma's own tools create it. */
function createTable(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${table} (
    id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
    migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
    started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`
}

async function apply(client: pg.Client, history: History, migration: Migration, deadline: number): Promise<void> {
  const { owner, table } = history
  const { name, script, checksum } = migration
  try {
    await client.query(`BEGIN; SET LOCAL statement_timeout TO ${timeLeft(deadline)}`)
    await client.query(script)
    await client.query(
      `INSERT INTO ${table} (id, checksum, migration_name, logs, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, $4, now(), clock_timestamp(), 1)`,
      [randomUUID(), checksum, name, script.startsWith(BREAKING) ? BREAKING : null],
    )
    await client.query('COMMIT')
  } catch (error) {
    throw new MigrationError(
      `The migration ${name} of ${owner} failed and left nothing behind; the next start tries it again. ${messageOf(error)}`,
      { cause: error },
    )
  }
}

/** At least a second, so that a statement that is slightly late still fails with its own message. */
function timeLeft(deadline: number): number {
  return Math.ceil(Math.max(deadline - performance.now(), 1000))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
