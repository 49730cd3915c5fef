import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import pg from 'pg'
import type { Log } from '../../logger.ts'
import { postgresBinaries } from './binaries.ts'
import { adopt, type Cluster, connectionUrl, initialise, launch } from './cluster.ts'
import { placeOfPostgres, postgresOwner } from './data-folder.ts'
import { lockDataDir } from './data-folder-lock.ts'
import { hasCode, type Server, shutDown, until } from './process.ts'
import { PostgresSupervisor } from './supervisor.ts'

/** The database that Rally uses in its own Postgres. */
const DATABASE = 'rally'

export interface EmbeddedPostgresOptions {
  /** Rally's data folder, created if missing. Postgres' data are in `postgres` there, or where `postgres.place` says. */
  readonly dataDir: string
  readonly log: Log
  /** Without it a power cut may lose or damage the data, and tests are faster. Default true. */
  readonly durable?: boolean
  /** Default 60 s: recovery after a crash may take its time. */
  readonly startTimeoutMs?: number
  /** Ends the start when it aborts, and leaves nothing running. */
  readonly signal?: AbortSignal | undefined
  /** How long a fast shutdown may take before an immediate one. Default 20 s. */
  readonly stopTimeoutMs?: number
  /** Called when Postgres ended by itself and could not be restarted. */
  readonly onLost?: (error: Error) => void
}

export interface EmbeddedPostgres {
  /** Holds the password: never log it. It stays the same when Postgres is restarted. */
  readonly url: string
  readonly pid: number
  /** Whether a killed Rally had left it running. */
  readonly adopted: boolean
  /** Shuts Postgres down and frees the data folder. Safe to call twice. */
  stop(): Promise<void>
}

/**
 * Starts a real Postgres on a free loopback port, or adopts the one that a killed Rally left running on the same data.
 * Signals of Rally's terminal do not reach it. When it ends by itself, it is restarted on the same port.
 *
 * @throws DataDirInUse when another living Rally has the folder
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, durable = true, startTimeoutMs = 60_000, stopTimeoutMs = 20_000, signal } = options
  const deadline = Date.now() + startTimeoutMs
  // Only the folder itself is closed: Postgres may run as another user, who has to reach it.
  await mkdir(dirname(resolve(options.dataDir)), { recursive: true })
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
  const dataDir = await realpath(options.dataDir)
  const lock = await lockDataDir(dataDir)
  let server: Server | undefined
  try {
    const owner = await postgresOwner()
    const place = await placeOfPostgres(dataDir, owner, log)
    const binaries = await postgresBinaries(place, owner)
    const folder = join(place, 'postgres')
    const password = await keptPassword(place, folder)
    const cluster: Cluster = { place, folder, password, binaries, owner, durable, log }

    server = await adopt(cluster, deadline, stopTimeoutMs)
    if (!server) {
      signal?.throwIfAborted()
      await initialise(cluster, until(deadline, signal))
      server = await launch(cluster, { deadline, signal })
    }
    signal?.throwIfAborted()
    await ensureDatabase(connectionUrl(server.port, password, 'postgres'), deadline)
    return handle(server, cluster)
  } catch (error) {
    try {
      if (server) await shutDown(server, stopTimeoutMs)
    } catch (failure) {
      log.error({ err: failure }, 'the embedded Postgres could not be stopped')
    }
    await lock.release()
    throw error
  }

  function handle(running: Server, cluster: Cluster): EmbeddedPostgres {
    let stopping: Promise<void> | undefined
    const adopted = running.child === undefined
    const supervisor = new PostgresSupervisor(running, {
      log,
      stopTimeoutMs,
      relaunch: (port, signal) => launch(cluster, { deadline: Date.now() + startTimeoutMs, port, signal }),
      onLost: options.onLost ?? (() => undefined),
    })
    log.info({ pid: running.pid, port: running.port, adopted }, 'embedded Postgres is ready')
    return {
      url: connectionUrl(running.port, cluster.password, DATABASE),
      get pid() {
        return supervisor.pid
      },
      adopted,
      stop() {
        stopping ??= supervisor.stop().finally(() => lock.release())
        return stopping
      },
    }
  }
}

/** The superuser's password. It is random, and created together with the data. */
async function keptPassword(place: string, folder: string): Promise<string> {
  const path = join(place, 'postgres.password')
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
  if (await stat(folder).catch(() => undefined)) {
    throw new Error(
      `${path} is missing, so the data in ${folder} can't be opened. Put it back, or move ${folder} away.`,
    )
  }
  const password = randomBytes(24).toString('base64url')
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, password, { mode: 0o600, flush: true })
  await rename(draft, path)
  return password
}

async function ensureDatabase(url: string, deadline: number): Promise<void> {
  const timeoutMs = Math.max(deadline - Date.now(), 1000)
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs })
  // Without a listener an error on an idle connection would end the process. The query below reports it too.
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE])
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`)
  } finally {
    await client.end()
  }
}
