import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { MigrationList } from '@prisma/schema-engine-wasm/schema_engine_bg'
import pg from 'pg'
import type { Log } from '../logger.ts'
import { connectionConfig, sessionSettings } from './pool.ts'
import { isUnavailable } from './retry.ts'
import { NO_FILTERS, openSchemaEngine } from './schema-engine.ts'

/** The package's own migrations, seen from `src/db` and from `dist/db` alike. */
export const MIGRATIONS_DIR = fileURLToPath(new URL('../../prisma/migrations', import.meta.url))

/** An arbitrary number that every Rally uses: who holds this lock migrates. */
const LOCK_KEY = 7_255_901_433_270n

const MIGRATION_NAME = /^\d{14}_[a-z0-9_]+$/

export interface MigrateOptions {
  readonly databaseUrl: string
  readonly migrationsDir?: string
  readonly log: Log
  /** For the whole, waiting for other nodes included. Default 120 s. */
  readonly timeoutMs?: number
  /** How long a database that is still starting is waited for. Default 30 s. */
  readonly connectTimeoutMs?: number
}

/** The database can't be brought to this version. The message says why and what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}

interface Migration {
  readonly name: string
  readonly script: string
}

/**
 * Brings the database to this version's schema. Safe when several nodes do so at once: one works, the others wait for
 * it. A migration is one transaction; one that failed is tried again at the next start.
 *
 * @throws MigrationError when the database's history is not ours, a migration fails, or the time is over
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const { databaseUrl, log, timeoutMs = 120_000, connectTimeoutMs = 30_000 } = options
  const deadline = Date.now() + timeoutMs
  const dir = options.migrationsDir ?? MIGRATIONS_DIR
  const migrations = await readMigrations(dir)
  if (migrations.length === 0)
    throw new MigrationError(`There are no migrations in ${dir}: the installation is damaged.`)
  const client = await connect(databaseUrl, Math.min(Date.now() + connectTimeoutMs, deadline), deadline, log)
  try {
    if (await isUpToDate(client, migrations)) return
    await lock(client)
    if (await isUpToDate(client, migrations)) return
    const applied = await apply({ databaseUrl, log, dir, migrations, deadline })
    log.info({ applied }, 'database migrated')
  } finally {
    // Ends the session and with it the lock.
    await client.end().catch((error: unknown) => log.warn({ err: error }, 'closing the migration lock failed'))
  }
}

async function readMigrations(dir: string): Promise<Migration[]> {
  const entries = await readdir(dir, { withFileTypes: true })
  const names = entries
    .filter((entry) => entry.isDirectory() && MIGRATION_NAME.test(entry.name))
    .map(({ name }) => name)
  return Promise.all(
    names.sort().map(async (name) => ({ name, script: await readFile(join(dir, name, 'migration.sql'), 'utf8') })),
  )
}

async function connect(url: string, until: number, deadline: number, log: Log): Promise<pg.Client> {
  for (;;) {
    const left = Math.max(until - Date.now(), 1000)
    const statementTimeoutMs = Math.max(deadline - Date.now(), 1000)
    const client = new pg.Client(connectionConfig({ url, connectTimeoutMs: left, statementTimeoutMs }))
    client.on('error', (error) => log.warn({ err: error }, 'the connection that holds the migration lock failed'))
    try {
      await client.connect()
      await client.query(sessionSettings({ statementTimeoutMs }))
      return client
    } catch (error) {
      await client.end().catch(() => undefined)
      if (!isUnavailable(error) || Date.now() > until) {
        throw new MigrationError(`The database can't be reached: ${messageOf(error)}`, { cause: error })
      }
      log.debug({ err: error }, 'waiting for the database')
      await delay(250)
    }
  }
}

async function lock(client: pg.Client): Promise<void> {
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK_KEY])
  } catch (error) {
    throw new MigrationError(`Another node did not end its migration in time: ${messageOf(error)}`, { cause: error })
  }
}

/** Spares loading the engine, which the usual start does not need. */
async function isUpToDate(client: pg.Client, migrations: readonly Migration[]): Promise<boolean> {
  const { rows: tables } = await client.query("SELECT to_regclass('_prisma_migrations') IS NOT NULL AS present")
  if (tables[0]?.present !== true) return false
  const { rows } = await client.query<{ migration_name: string; checksum: string; done: boolean }>(
    `SELECT migration_name, checksum, finished_at IS NOT NULL AS done FROM _prisma_migrations
     WHERE rolled_back_at IS NULL ORDER BY migration_name`,
  )
  return (
    rows.length === migrations.length &&
    migrations.every(({ name, script }, index) => {
      const row = rows[index]
      return row?.done === true && row.migration_name === name && row.checksum === checksum(script)
    })
  )
}

function checksum(script: string): string {
  return createHash('sha256').update(script).digest('hex')
}

interface Work {
  readonly databaseUrl: string
  readonly log: Log
  readonly dir: string
  readonly migrations: readonly Migration[]
  readonly deadline: number
}

async function apply({ databaseUrl, log, dir, migrations, deadline }: Work): Promise<readonly string[]> {
  const timeLeft = Math.max(deadline - Date.now(), 1000)
  const connection = { url: databaseUrl, connectTimeoutMs: Math.min(10_000, timeLeft), statementTimeoutMs: timeLeft }
  const { engine, close } = await openSchemaEngine({ ...connection, log })
  const migrationsList = migrationList(dir, migrations)
  try {
    const found = await engine.diagnoseMigrationHistory({
      migrationsList,
      optInToShadowDatabase: false,
      filters: NO_FILTERS,
    })
    for (const migrationName of found.failedMigrationNames) {
      // It left nothing behind, as a migration is one transaction.
      log.warn({ migration: migrationName }, 'trying a failed migration again')
      await engine.markMigrationRolledBack({ migrationName })
    }
    refuseForeignHistory(found)
    const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: NO_FILTERS })
    return appliedMigrationNames
  } catch (error) {
    if (error instanceof MigrationError) throw error
    throw new MigrationError(
      `A migration failed and left nothing behind; the next start tries it again. ${messageOf(error)}`,
      { cause: error },
    )
  } finally {
    await close()
  }
}

type Diagnosis = Awaited<ReturnType<Awaited<ReturnType<typeof openSchemaEngine>>['engine']['diagnoseMigrationHistory']>>

function refuseForeignHistory({ editedMigrationNames: edited, history }: Diagnosis): void {
  if (history && history.diagnostic !== 'databaseIsBehind') {
    const unknown = history.unpersistedMigrationNames.join(', ')
    throw new MigrationError(
      history.diagnostic === 'migrationsDirectoryIsBehind'
        ? `The database is of a newer Rally: it has ${unknown}. Start that version, or restore a backup.`
        : `The database's history is not this Rally's: it has ${unknown}. Was another program or branch run on it?`,
    )
  }
  if (edited.length > 0) {
    throw new MigrationError(
      `Migrations were changed after they ran here: ${edited.join(', ')}. Restore their text and add a new migration instead.`,
    )
  }
}

function migrationList(dir: string, migrations: readonly Migration[]): MigrationList {
  return {
    baseDir: dir,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, script }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: script } },
    })),
  }
}

/** The engine's messages go on with a trace of its own. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message.split(/\n\s+0: /)[0] ?? error.message
}
