import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { hasCode } from './fs-error.ts'
import { type Cluster, connectionUrl } from './postgres-cluster.ts'
import { POLL_MS, type Server, shutDown } from './postgres-process.ts'
import { processCommand, processIdentity } from './process-identity.ts'

/**
 * Takes over the Postgres that a killed Rally left running on this data, waiting while it starts or stops. Answers
 * `undefined` when there is none; a `postmaster.pid` that is not of a living Postgres on this data is removed.
 */
export async function adopt(cluster: Cluster, deadline: number, stopTimeoutMs: number): Promise<Server | undefined> {
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
        await shutDown(found, stopTimeoutMs)
        return undefined
      }
    }
    if (Date.now() > deadline) {
      throw new Error(`Postgres ${found.pid} runs on ${cluster.folder} but does not answer. Stop it, then start Rally.`)
    }
    await delay(POLL_MS)
  }
}

/** Whether the server on this port is ours: `busy` while it starts, stops or takes no more connections. */
async function look(cluster: Cluster, port: number): Promise<'as wanted' | 'other settings' | 'busy'> {
  const client = new pg.Client({
    connectionString: connectionUrl(port, cluster.password, 'postgres'),
    connectionTimeoutMillis: 2000,
    query_timeout: 2000,
  })
  // Without a listener an error on an idle connection would end the process; the query below reports it too.
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ fsync: string; folder: string }>(
      "SELECT current_setting('fsync') AS fsync, current_setting('data_directory') AS folder",
    )
    if (rows[0]?.folder !== cluster.folder) return 'busy'
    return (rows[0].fsync === 'on') === cluster.durable ? 'as wanted' : 'other settings'
  } catch (error) {
    if (hasCode(error, '28P01')) {
      throw new Error(`The Postgres running on ${cluster.folder} does not take the password kept beside it.`, {
        cause: error,
      })
    }
    return 'busy'
  } finally {
    await client.end().catch(() => undefined)
  }
}

const postmasterFile = (folder: string) => join(folder, 'postmaster.pid')

/** Reads the lines of Postgres' lock file that its `miscadmin.h` defines: 1 the pid, 4 the port, 8 the status. */
async function readPostmaster(folder: string): Promise<{ pid: number; port: number; ready: boolean } | undefined> {
  const text = await readFile(postmasterFile(folder), 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  })
  if (text === undefined) return undefined
  const lines = text.split('\n')
  return { pid: Number(lines[0]), port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' }
}

/** A pid may belong to something else by now: a Postgres on this data has the folder in its command line. */
async function isPostgresOn(pid: number, folder: string): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 1 || (await processIdentity(pid)) === undefined) return false
  return (await processCommand(pid))?.includes(`-D ${folder} `) ?? false
}
