import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { createDatabase, type Database, type DatabaseOptions } from '../../src/db/database.ts'
import { databaseUrl, execute } from './postgres.ts'
import { quietLog } from './quiet-log.ts'

export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  readonly name: string
  /** Opens a pool on it that `drop` closes. */
  open(options?: Partial<DatabaseOptions>): Promise<Database>
  /** Closes what was opened here and deletes the database, also while others are connected. Safe to call twice. */
  drop(): Promise<void>
}

/**
 * A database of its own with all migrations applied, copied from the run's template in some tens of milliseconds.
 * Drop it in `afterAll`, or let `await using` do it; what is forgotten goes with the run.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  return create(`TEMPLATE ${inject('templateDatabase')}`)
}

/** The same, without migrations. */
export async function createEmptyTestDatabase(): Promise<TestDatabase> {
  return create('TEMPLATE template0')
}

async function create(source: string): Promise<TestDatabase> {
  const server = inject('databaseUrl')
  const name = `${inject('templateDatabase')}_${randomBytes(6).toString('hex')}`
  await execute(server, `CREATE DATABASE ${name} ${source}`)
  const url = databaseUrl(server, name)
  const opened: Database[] = []
  let dropping: Promise<void> | undefined
  const close = async () => {
    await Promise.all(opened.map((database) => database.close()))
    await execute(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  }
  const drop = (): Promise<void> => {
    dropping ??= close()
    return dropping
  }
  return {
    url,
    name,
    drop,
    [Symbol.asyncDispose]: drop,
    async open(options) {
      const database = await createDatabase({
        url,
        poolSize: 5,
        connectTimeoutMs: 5000,
        statementTimeoutMs: 5000,
        transactionTimeoutMs: 10_000,
        log: quietLog,
        ...options,
      })
      opened.push(database)
      return database
    },
  }
}
