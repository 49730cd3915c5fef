import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../logger.ts'
import { connectionUrl } from './cluster.ts'
import { findPlaceOfPostgres } from './data-folder.ts'
import { DataDirInUse } from './data-folder-lock.ts'
import { DATABASE, startEmbeddedPostgres } from './embedded-postgres.ts'

/** The database of an installation, for a command. */
export interface OpenPostgres {
  readonly url: string
  /** Stops Postgres, if it was started for this. */
  stop(): Promise<void>
}

/**
 * The embedded Postgres under `dataDir`, also while a server uses it. Otherwise it is started, and `stop` stops it.
 *
 * @throws Error when it has not been made yet
 */
export async function openEmbeddedPostgres(dataDir: string, log: Log): Promise<OpenPostgres> {
  const place = await findPlaceOfPostgres(dataDir)
  if (place === undefined)
    throw new Error(`There is no database in ${dataDir}. Set DATABASE_URL or DATA_DIR as for the server.`)
  try {
    return await startEmbeddedPostgres({ dataDir, log })
  } catch (error) {
    if (!(error instanceof DataDirInUse)) throw error
    return { url: await urlOfRunning(place), stop: async () => undefined }
  }
}

/** The fourth line of `postmaster.pid` is the port. */
async function urlOfRunning(place: string): Promise<string> {
  const [, , , port] = (await readFile(join(place, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')
  const password = (await readFile(join(place, 'postgres.password'), 'utf8')).trim()
  return connectionUrl(Number(port), password, DATABASE)
}
