import { readConfig } from '../config.ts'
import { createDatabase, type Database } from '../db/database.ts'
import { openEmbeddedPostgres } from '../db/embedded/open-postgres.ts'
import type { Variables } from '../environment.ts'
import type { Log } from '../logger.ts'

const TIMEOUT_MS = 10_000

const silent = () => undefined
const log: Log = { debug: silent, info: silent, warn: silent, error: silent }

/**
 * Runs `work` with the database of this installation: the one at DATABASE_URL, else the one under DATA_DIR, also while servers
 * use it. It is not migrated.
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

async function openPostgres(environment: Variables) {
  const keep = async () => undefined
  const { DATABASE_URL: given } = environment
  // The rest of the configuration need not be complete for this.
  if (given !== undefined && given !== '') return { url: given, stop: keep }
  const { databaseUrl, dataDir } = readConfig({ ...environment, NODE_ENV: 'development' })
  return databaseUrl === undefined ? openEmbeddedPostgres(dataDir, log) : { url: databaseUrl, stop: keep }
}
