import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { hasCode } from './fs-error.ts'
import type { DbLog } from './log.ts'
import { firstClosedFolder, letThrough, type PostgresOwner } from './postgres-owner.ts'

/** Where Rally keeps its own database when Postgres' user cannot reach Rally's data folder. */
const SHARED_ROOT = '/var/lib/rally'
/** In Rally's data folder: names the place, for later starts and for `make clean`. */
const POINTER = 'postgres.place'

/**
 * The folder in which the files of the embedded Postgres are kept. It is Rally's data folder, unless Rally runs as root
 * and a folder above, such as `/root`, is closed to Postgres' user: then it is a folder under `/var/lib/rally`, which
 * `<dataDir>/postgres.place` names. Data that are in the data folder already stay there.
 */
export async function placeOfPostgres(dataDir: string, owner: PostgresOwner | undefined, log: DbLog): Promise<string> {
  if (!owner) return dataDir
  await letThrough(dataDir, owner)
  const closed = await firstClosedFolder(dataDir, owner)
  if (closed === undefined || (await stat(join(dataDir, 'postgres')).catch(() => undefined))) return dataDir
  const place = (await keptPlace(dataDir)) ?? (await choosePlace(dataDir))
  await mkdir(place, { recursive: true })
  // Whatever the umask: Postgres' user has to pass, and nobody can list them.
  for (const folder of [SHARED_ROOT, place]) await chmod(folder, 0o711)
  log.warn({ place }, `the user "${owner.name}" may not enter ${closed}, so Postgres keeps its data in ${place}`)
  return place
}

async function keptPlace(dataDir: string): Promise<string | undefined> {
  try {
    return (await readFile(join(dataDir, POINTER), 'utf8')).trim()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

async function choosePlace(dataDir: string): Promise<string> {
  const project = basename(dirname(dataDir)).replace(/[^\w.-]/g, '_')
  const place = join(SHARED_ROOT, `${project}-${randomUUID().slice(0, 8)}`)
  const draft = join(dataDir, `${POINTER}.${randomUUID()}`)
  await writeFile(draft, `${place}\n`, { flush: true })
  await rename(draft, join(dataDir, POINTER))
  return place
}
