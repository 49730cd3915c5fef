import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../logger.ts'
import { connectionUrl } from './cluster.ts'
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
 * @throws Error when there is neither
 */
export async function openEmbeddedPostgres(dataDir: string, log: Log): Promise<OpenPostgres> {
  try {
    return await startEmbeddedPostgres({ dataDir, log })
  } catch (error) {
    if (!(error instanceof DataDirInUse)) throw error
    return { url: await urlOfRunning(dataDir), stop: async () => undefined }
  }
}

/** The fourth line of `postmaster.pid` is the port. */
async function urlOfRunning(dataDir: string): Promise<string> {
  const [, , , port] = (await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')
  const password = (await readFile(join(dataDir, 'postgres.password'), 'utf8')).trim()
  return connectionUrl(Number(port), password, DATABASE)
}
