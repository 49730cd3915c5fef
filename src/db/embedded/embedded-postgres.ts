import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, realpath, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../../logger.ts'
import { postgresBinaries } from './binaries.ts'
import { adopt, type Cluster, connectionUrl, initialise, launch, withClient } from './cluster.ts'
import { placeOfPostgres, postgresOwner } from './data-folder.ts'
import { lockDataDir } from './data-folder-lock.ts'
import { ended, readIfThere, type Server, shutDown, until } from './process.ts'

/** The database that Rally uses in its own Postgres. */
export const DATABASE = 'rally'
/** Recovery after a crash takes its time. */
const START_TIMEOUT_MS = 60_000
/** How often Postgres is restarted within `WINDOW_MS`, failed attempts included, with a pause after each of those. */
const MAX_RESTARTS = 5
const WINDOW_MS = 10 * 60_000
const PAUSE_MS = 1_000

export interface EmbeddedPostgresOptions {
  /** Rally's data folder, created if missing. Postgres' data are in `postgres` there, or where `postgres.place` says. */
  readonly dataDir: string
  readonly log: Log
  /** Without it a power cut may lose or damage the data, and tests are faster. Default true. */
  readonly durable?: boolean
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
  const { log, durable = true, stopTimeoutMs = 20_000, signal } = options
  const deadline = performance.now() + START_TIMEOUT_MS
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
    const cluster: Cluster = { place, folder, password, binaries, owner, durable, stopTimeoutMs, log }

    server = await adopt(cluster, deadline)
    if (!server) {
      signal?.throwIfAborted()
      await initialise(cluster, until(deadline, signal))
      server = await launch(cluster, until(deadline, signal))
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
    const supervisor = new PostgresSupervisor(running, cluster, options.onLost)
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
  const kept = (await readIfThere(path))?.trim()
  if (kept !== undefined) return kept
  if (await stat(folder).catch(() => undefined)) {
    const advice = `Put it back, or move ${folder} away.`
    throw new Error(`${path} is missing, so the data in ${folder} can't be opened. ${advice}`)
  }
  const password = randomBytes(24).toString('base64url')
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, password, { mode: 0o600, flush: true })
  await rename(draft, path)
  return password
}

async function ensureDatabase(url: string, deadline: number): Promise<void> {
  await withClient(url, Math.max(deadline - performance.now(), 1000), async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE])
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`)
  })
}

/** Restarts a Postgres that ended by itself, a bounded number of times. */
class PostgresSupervisor {
  readonly #cluster: Cluster
  readonly #stopping = new AbortController()
  readonly #watching: Promise<void>
  #server: Server
  #runs = true
  #restarts: number[] = []

  constructor(server: Server, cluster: Cluster, onLost?: (error: Error) => void) {
    this.#server = server
    this.#cluster = cluster
    this.#watching = this.#watch().catch((error: unknown) => {
      if (this.#stopping.signal.aborted) return
      onLost?.(new Error('The embedded Postgres ended and could not be started again', { cause: error }))
    })
  }

  /** The pid of the running Postgres, or of the last one. */
  get pid(): number {
    return this.#server.pid
  }

  /** Stops Postgres. Call it once. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#watching
    if (this.#runs) await shutDown(this.#server, this.#cluster.stopTimeoutMs)
  }

  async #watch(): Promise<void> {
    const { log } = this.#cluster
    for (;;) {
      const { pid, port, child } = this.#server
      await ended(this.#server, this.#stopping.signal)
      this.#runs = false
      // Not `code`: the log leaves out that key, as it may hold a sign-in code.
      const how = { pid, exitCode: child?.exitCode, signal: child?.signalCode }
      log.error(how, 'the embedded Postgres ended by itself; restarting it')
      this.#server = await this.#restart(port)
      this.#runs = true
      log.warn({ pid: this.#server.pid, port }, 'the embedded Postgres runs again')
    }
  }

  async #restart(port: number): Promise<Server> {
    const { log } = this.#cluster
    const { signal } = this.#stopping
    for (let failure: unknown; ; ) {
      const now = performance.now()
      this.#restarts = this.#restarts.filter((at) => now - at < WINDOW_MS)
      if (this.#restarts.length >= MAX_RESTARTS) {
        throw failure ?? new Error(`it ended more than ${MAX_RESTARTS} times in ${WINDOW_MS / 60_000} minutes`)
      }
      this.#restarts.push(now)
      try {
        return await launch(this.#cluster, until(now + START_TIMEOUT_MS, signal), port)
      } catch (error) {
        if (signal.aborted) throw error
        log.error({ err: error }, 'the embedded Postgres could not be started again')
        failure = error
      }
      await delay(PAUSE_MS, undefined, { signal })
    }
  }
}
