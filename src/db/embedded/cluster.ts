import { randomUUID } from 'node:crypto'
import { chown, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Log } from '../../logger.ts'
import type { PostgresBinaries } from './binaries.ts'
import { firstClosedFolder, type PostgresOwner } from './data-folder.ts'
import { freePort } from './free-port.ts'
import {
  collectLines,
  hasCode,
  outcomeOf,
  POLL_MS,
  processCommand,
  processIdentity,
  QUIT_TIMEOUT_MS,
  readIfThere,
  run,
  type Server,
  shutDown,
} from './process.ts'

const USER = 'rally'
const LOOPBACK = '127.0.0.1'

/** A data folder, and what is needed to run Postgres on it. */
export interface Cluster {
  /** Where all files of the embedded Postgres are. */
  readonly place: string
  /** Postgres' data folder. */
  readonly folder: string
  readonly password: string
  readonly binaries: PostgresBinaries
  readonly owner: PostgresOwner | undefined
  readonly durable: boolean
  readonly stopTimeoutMs: number
  readonly log: Log
}

export function connectionUrl(port: number, password: string, database: string): string {
  return `postgresql://${USER}:${encodeURIComponent(password)}@${LOOPBACK}:${port}/${database}`
}

/** Creates Postgres' data folder if there is none. The folder appears complete or not at all. */
export async function initialise(cluster: Cluster, patience: AbortSignal): Promise<void> {
  const { place, folder, owner, binaries } = cluster
  if (await stat(folder).catch(() => undefined)) return
  const prefix = 'postgres.new-'
  for (const name of await readdir(place)) {
    if (name.startsWith(prefix)) await rm(join(place, name), { recursive: true, force: true, maxRetries: 5 })
  }
  const draft = join(place, `${prefix}${randomUUID()}`)
  const passwordFile = `${draft}.password`
  try {
    await mkdir(draft, { mode: 0o700 })
    await writeFile(passwordFile, cluster.password, { mode: 0o600 })
    if (owner) for (const path of [draft, passwordFile]) await chown(path, owner.uid, owner.gid)
    const args = [
      `--pgdata=${draft}`,
      `--username=${USER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Postgres' own C.UTF-8 needs no locale of the machine.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      ...(cluster.durable ? [] : ['--no-sync']),
    ]
    const child = run(binaries.initdb, args, binaries.env, owner)
    const lines = collectLines(child, cluster.log)
    const outcome = await outcomeOf(child, patience)
    if (outcome !== 0) {
      child.kill('SIGKILL')
      throw await explain(cluster, 'initdb failed', outcome, lines)
    }
    await rename(draft, folder)
  } finally {
    await rm(passwordFile, { force: true })
    await rm(draft, { recursive: true, force: true })
  }
}

/**
 * Starts Postgres and waits until it takes connections. When `patience` aborts, what has been started is stopped.
 *
 * @param wantedPort a free one unless given
 */
export async function launch(cluster: Cluster, patience: AbortSignal, wantedPort?: number): Promise<Server> {
  for (;;) {
    const port = wantedPort ?? (await freePort())
    const args = ['-D', cluster.folder, ...settings(cluster, port)]
    const child = run(cluster.binaries.postgres, args, cluster.binaries.env, cluster.owner)
    let lines: string[] = []
    const ready = new Promise<'ready'>((resolve) => {
      lines = collectLines(child, cluster.log, (line) => {
        if (line.includes('database system is ready to accept connections')) resolve('ready')
      })
    })
    const outcome = await Promise.race([ready, outcomeOf(child, patience)])
    const { pid } = child
    if (outcome === 'ready' && pid !== undefined) return { pid, port, child }
    // The port was taken meanwhile, or processes of a killed server are still ending: a later attempt may succeed.
    const passing = /could not create any TCP\/IP sockets|Address already in use|pre-existing shared memory block/
    if (!lines.some((line) => passing.test(line)) || patience.aborted) {
      if (pid !== undefined) await shutDown({ pid, port, child }, QUIT_TIMEOUT_MS)
      throw await explain(cluster, 'Postgres did not start', outcome, lines)
    }
    await delay(5 * POLL_MS)
  }
}

/** Few processes and little memory: this database serves one node. */
function settings(cluster: Cluster, port: number): string[] {
  const values: Record<string, string> = {
    port: String(port),
    listen_addresses: LOOPBACK,
    unix_socket_directories: '',
    max_connections: '100',
    shared_buffers: '48MB',
    min_wal_size: '32MB',
    max_wal_size: '256MB',
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_logical_replication_workers: '0',
    max_worker_processes: '4',
    autovacuum_max_workers: '1',
    io_method: 'sync',
    jit: 'off',
    huge_pages: 'off',
    lc_messages: 'C',
    timezone: 'UTC',
    log_timezone: 'UTC',
    logging_collector: 'off',
    log_destination: 'stderr',
    log_checkpoints: 'off',
    // Messages of failed statements may quote their values. Whoever sent the statement gets the error.
    log_min_messages: 'log',
  }
  if (!cluster.durable) Object.assign(values, { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' })
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

async function explain(
  { owner, binaries, place }: Cluster,
  what: string,
  outcome: number | string | Error,
  lines: readonly string[],
): Promise<Error> {
  const cause = outcome instanceof Error ? outcome : undefined
  for (const path of [place, dirname(binaries.postgres)]) {
    const closed = owner && (await firstClosedFolder(path, owner))
    if (!closed) continue
    return new Error(
      `${what}: as Rally runs as root, Postgres runs as the user "${owner.name}", which may not enter ${closed} ` +
        `on the way to ${path}. Allow it (chmod o+x ${closed}), choose another DATA_DIR, or run Rally as another user.`,
      { cause },
    )
  }
  const how = cause?.name === 'AbortError' ? 'not in time' : (cause?.message ?? String(outcome))
  return new Error([`${what} (${how})`, ...lines].join('\n'), { cause })
}

/**
 * Adopts the Postgres that a killed Rally left running on this data; waits while it starts or stops. Answers `undefined`
 * when there is none, and removes a `postmaster.pid` that does not belong to a living Postgres on this data.
 */
export async function adopt(cluster: Cluster, deadline: number): Promise<Server | undefined> {
  for (;;) {
    const found = await readPostmaster(cluster.folder)
    if (!found) return undefined
    if (!(await isPostgresOn(found.pid, cluster.folder))) {
      await rm(postmasterFile(cluster.folder), { force: true })
      return undefined
    }
    if (found.ready) {
      const state = await look(cluster, found.port)
      if (state === 'as wanted') return { pid: found.pid, port: found.port }
      if (state === 'other settings') {
        await shutDown(found, cluster.stopTimeoutMs)
        return undefined
      }
    }
    if (performance.now() > deadline) {
      throw new Error(`Postgres ${found.pid} runs on ${cluster.folder} but does not answer. Stop it, then start Rally.`)
    }
    await delay(POLL_MS)
  }
}

/** Whether the server on this port is ours and has our settings. `busy` while it starts, stops or refuses connections. */
async function look(cluster: Cluster, port: number): Promise<'as wanted' | 'other settings' | 'busy'> {
  try {
    const { rows } = await withClient(connectionUrl(port, cluster.password, 'postgres'), 2_000, (client) =>
      client.query<{ fsync: string; folder: string }>(
        "SELECT current_setting('fsync') AS fsync, current_setting('data_directory') AS folder",
      ),
    )
    if (rows[0]?.folder !== cluster.folder) return 'busy'
    return (rows[0].fsync === 'on') === cluster.durable ? 'as wanted' : 'other settings'
  } catch (error) {
    if (!hasCode(error, '28P01')) return 'busy'
    throw new Error(`The Postgres on ${cluster.folder} does not take the password kept beside it.`, { cause: error })
  }
}

/** Runs `work` on a connection of its own. */
export async function withClient<T>(
  connectionString: string,
  timeoutMs: number,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs })
  // Without a listener an error on an idle connection would end the process. A query reports it too.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

const postmasterFile = (folder: string) => join(folder, 'postmaster.pid')

/** Reads the lines of Postgres' lock file that its `miscadmin.h` defines: 1 the pid, 4 the port, 8 the status. */
async function readPostmaster(folder: string): Promise<{ pid: number; port: number; ready: boolean } | undefined> {
  const lines = (await readIfThere(postmasterFile(folder)))?.split('\n')
  if (!lines) return undefined
  return { pid: Number(lines[0]), port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' }
}

/** The pid may belong to another process by now: a Postgres on this data has the folder in its command line. */
async function isPostgresOn(pid: number, folder: string): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 1 || (await processIdentity(pid)) === undefined) return false
  return (await processCommand(pid))?.includes(`-D ${folder} `) ?? false
}
