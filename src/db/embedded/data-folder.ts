import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmod, chown, constants, mkdir, rename, stat, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Log } from '../../logger.ts'
import { readIfThere } from './process.ts'

/** Where Postgres' data are when Postgres' user cannot reach Rally's data folder. */
const SHARED_ROOT = '/var/lib/rally'
/** A file in Rally's data folder that names the place, for later starts and for `make clean`. */
const POINTER = 'postgres.place'

/**
 * The folder for the files of the embedded Postgres: Rally's data folder. But if Rally runs as root and Postgres' user may
 * not enter a folder above, such as `/root`, it is a folder under `/var/lib/rally`, which `<dataDir>/postgres.place` names.
 * Data that are in the data folder already stay there.
 */
export async function placeOfPostgres(dataDir: string, owner: PostgresOwner | undefined, log: Log): Promise<string> {
  if (!owner) return dataDir
  await letThrough(dataDir, owner)
  const closed = await firstClosedFolder(dataDir, owner)
  if (closed === undefined || (await holdsPostgres(dataDir))) return dataDir
  const place = (await namedPlace(dataDir)) ?? (await choosePlace(dataDir))
  await mkdir(place, { recursive: true })
  // Whatever the umask is: Postgres' user may pass, and nobody may list them.
  for (const folder of [SHARED_ROOT, place]) await chmod(folder, 0o711)
  log.warn({ place }, `the user "${owner.name}" may not enter ${closed}, so Postgres keeps its data in ${place}`)
  return place
}

/** As `placeOfPostgres`, for data that are there: makes nothing. `undefined` when there are none. */
export async function findPlaceOfPostgres(dataDir: string): Promise<string | undefined> {
  if (await holdsPostgres(dataDir)) return dataDir
  const named = await namedPlace(dataDir)
  return named !== undefined && (await holdsPostgres(named)) ? named : undefined
}

async function holdsPostgres(place: string): Promise<boolean> {
  return (await stat(join(place, 'postgres')).catch(() => undefined)) !== undefined
}

async function namedPlace(dataDir: string): Promise<string | undefined> {
  return (await readIfThere(join(dataDir, POINTER)))?.trim()
}

async function choosePlace(dataDir: string): Promise<string> {
  const project = basename(dirname(dataDir)).replace(/[^\w.-]/g, '_')
  const place = join(SHARED_ROOT, `${project}-${randomUUID().slice(0, 8)}`)
  const draft = join(dataDir, `${POINTER}.${randomUUID()}`)
  await writeFile(draft, `${place}\n`, { flush: true })
  await rename(draft, join(dataDir, POINTER))
  return place
}

const run = promisify(execFile)

/** The user that Postgres runs as when Rally runs as root. */
export interface PostgresOwner {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** Postgres refuses to run as root: answers the user `postgres`, created if needed. `undefined` when Rally is not root. */
export async function postgresOwner(): Promise<PostgresOwner | undefined> {
  if (userInfo().uid !== 0) return undefined
  const found = await lookUp('postgres')
  if (found) return found
  try {
    const shell = ['--no-create-home', '--shell', '/usr/sbin/nologin']
    await run('useradd', ['--system', '--user-group', ...shell, 'postgres'], { timeout: 10_000 })
  } catch (cause) {
    const advice = 'Run Rally as another user, make one named "postgres", or set DATABASE_URL.'
    throw new Error(`Postgres refuses to run as root, and no user "postgres" could be made. ${advice}`, { cause })
  }
  const made = await lookUp('postgres')
  if (made) return made
  throw new Error('The user "postgres" was made but is not found.')
}

async function lookUp(name: string): Promise<PostgresOwner | undefined> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name], { timeout: 10_000 })).stdout)),
    )
    return uid === undefined || gid === undefined ? undefined : { name, uid, gid }
  } catch {
    return undefined
  }
}

/** Lets Postgres' user pass through Rally's data folder by its group, and nobody else. */
async function letThrough(dataDir: string, owner: PostgresOwner): Promise<void> {
  const { mode, uid, gid } = await stat(dataDir)
  if (mayPass({ mode, uid, gid }, owner)) return
  await chown(dataDir, uid, owner.gid)
  await chmod(dataDir, (mode & 0o7777) | constants.S_IXGRP)
}

/** The first folder on the way to `path` that Postgres' user may not enter, if there is one. */
export async function firstClosedFolder(path: string, owner: PostgresOwner): Promise<string | undefined> {
  if (dirname(path) === path) return undefined
  const above = await firstClosedFolder(dirname(path), owner)
  return above ?? (mayPass(await stat(path), owner) ? undefined : path)
}

function mayPass(folder: { mode: number; uid: number; gid: number }, owner: PostgresOwner): boolean {
  if (folder.uid === owner.uid) return (folder.mode & constants.S_IXUSR) !== 0
  if (folder.gid === owner.gid) return (folder.mode & constants.S_IXGRP) !== 0
  return (folder.mode & constants.S_IXOTH) !== 0
}
