import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { hasCode } from './fs-error.ts'
import { processIdentity } from './process-identity.ts'

const Holder = z.object({ pid: z.number().int().positive(), startedAs: z.string() })

/** The data folder is in use by another living process. */
export class DataDirInUse extends Error {
  override readonly name = 'DataDirInUse'
  readonly pid: number

  constructor(dataDir: string, pid: number) {
    super(`${dataDir} is in use by another Rally, process ${pid}. Stop it first, or give this one its own DATA_DIR.`)
    this.pid = pid
  }
}

/** Attempts at a lock that others take over at the same moment. */
const MAX_ATTEMPTS = 20

/**
 * Takes `<dataDir>/rally.lock` for this process and answers how to give it back. A lock whose process is gone, also
 * one whose pid now belongs to another process, is taken over.
 *
 * @throws DataDirInUse while its holder lives
 */
export async function lockDataDir(dataDir: string): Promise<{ release(): Promise<void> }> {
  const path = join(dataDir, 'rally.lock')
  const startedAs = await processIdentity(process.pid)
  const mine = JSON.stringify({ pid: process.pid, startedAs, lock: randomUUID() })
  const draft = join(dataDir, `rally.lock.${randomUUID()}`)
  await writeFile(draft, mine, { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      // A link appears with its whole content or not at all, and only where there was none.
      if ((await linkOnce(draft, path)) && (await readOptional(path)) === mine) return { release }
      const found = await readOptional(path)
      if (found === undefined) continue
      const pid = await livingHolder(found)
      if (pid !== undefined) throw new DataDirInUse(dataDir, pid)
      await bury(path, found)
    }
  } finally {
    await rm(draft, { force: true })
  }
  throw new Error(`could not take ${path}: too many processes try at once`)

  async function release(): Promise<void> {
    if ((await readOptional(path)) === mine) await rm(path, { force: true })
  }
}

async function livingHolder(content: string): Promise<number | undefined> {
  const holder = Holder.safeParse(parseJson(content))
  if (!holder.success) return undefined
  const identity = await processIdentity(holder.data.pid)
  return identity === holder.data.startedAs ? holder.data.pid : undefined
}

/** Removes the dead lock, and puts back what turns out to be another one that was taken meanwhile. */
async function bury(path: string, dead: string): Promise<void> {
  const grave = `${path}.${randomUUID()}`
  try {
    await rename(path, grave)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return
    throw error
  }
  if ((await readOptional(grave)) !== dead) await linkOnce(grave, path)
  await rm(grave, { force: true })
}

async function linkOnce(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
