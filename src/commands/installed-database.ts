import { resolve } from 'node:path'
import { DEFAULT_DATA_DIR } from '../config.ts'
import { createDatabase, type Database } from '../db/database.ts'
import { type OpenPostgres, openEmbeddedPostgres } from '../db/embedded/open-postgres.ts'
import type { Variables } from '../environment.ts'
import type { Log } from '../logger.ts'

const TIMEOUT_MS = 10_000

const silent = () => undefined
const log: Log = { debug: silent, info: silent, warn: silent, error: silent }

/**
 * Runs `work` with the database of this installation: the one at DATABASE_URL, else the one under DATA_DIR, also while servers
 * use it. It is not migrated.
 *
 * @throws Error when there is none
 */
export async function withInstalledDatabase<T>(
  environment: Variables,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const { url, stop } = await openPostgres(environment)
  const timeouts = { connectTimeoutMs: TIMEOUT_MS, statementTimeoutMs: TIMEOUT_MS, transactionTimeoutMs: TIMEOUT_MS }
  const database = await createDatabase({ url, poolSize: 1, ...timeouts, log })
  try {
    return await work(database)
  } finally {
    await database.close()
    await stop()
  }
}

function openPostgres({ DATABASE_URL = '', DATA_DIR = '' }: Variables): Promise<OpenPostgres> {
  if (DATABASE_URL !== '') return Promise.resolve({ url: DATABASE_URL, stop: async () => undefined })
  // Secrets and the rest of the configuration need not be there for this.
  return openEmbeddedPostgres(resolve(DATA_DIR === '' ? DEFAULT_DATA_DIR : DATA_DIR), log)
}
