import { createHash, randomUUID } from 'node:crypto'
import { link, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { hasCode, processIdentity, readIfThere } from './process.ts'

const Holder = z.object({ pid: z.number().int().positive(), startedAs: z.string() })

/** The data folder is in use by another living process. */
export class DataDirInUse extends Error {
  override readonly name = 'DataDirInUse'

  constructor(dataDir: string, pid: number) {
    super(`${dataDir} is in use by another Rally, process ${pid}. Stop it first, or give this one its own DATA_DIR.`)
  }
}

/** Between two attempts while another process takes over the same dead lock. That takes milliseconds. */
const RETRY_MS = 5
const MAX_ATTEMPTS = 400

/** How many locks of processes that died while taking over are taken over in a row. */
const MAX_DEPTH = 4

/**
 * Takes `<dataDir>/rally.lock` for this process. A lock is taken over when its process is gone, even if its pid now belongs
 * to another process.
 *
 * @throws DataDirInUse while its holder lives
 */
export async function lockDataDir(dataDir: string): Promise<{ release(): Promise<void> }> {
  const path = join(dataDir, 'rally.lock')
  const mine = JSON.stringify({ pid: process.pid, startedAs: await processIdentity(process.pid), lock: randomUUID() })
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, mine, { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const outcome = await take(path, draft)
      if (outcome === 'taken') return { release }
      if (outcome !== 'contended') throw new DataDirInUse(dataDir, outcome.holder)
      await delay(RETRY_MS)
    }
  } finally {
    await rm(draft, { force: true })
  }
  throw new Error(`could not take ${path}: too many processes try at once`)

  async function release(): Promise<void> {
    if ((await readIfThere(path)) === mine) await rm(path, { force: true })
  }
}

/**
 * One attempt. Only the holder of a second lock, which is named after the content of the dead one, may replace the dead one.
 * So one of many processes replaces it, and none replaces a living lock that came in its place.
 */
async function take(path: string, draft: string, depth = 0): Promise<'taken' | 'contended' | { holder: number }> {
  // A link appears with its whole content, and only where there was no file.
  if (await linkOnce(draft, path)) return 'taken'
  const found = await readIfThere(path)
  if (found === undefined) return 'contended'
  const holder = await livingHolder(found)
  if (holder !== undefined) return { holder }
  if (depth === MAX_DEPTH) throw new Error(`${path} is left from processes that died. Remove it, then start again.`)

  const right = `${path}.${createHash('sha256').update(found).digest('hex').slice(0, 16)}`
  if ((await take(right, draft, depth + 1)) !== 'taken') return 'contended'
  try {
    if ((await readIfThere(path)) !== found) return 'contended'
    const copy = `${draft}.copy`
    await link(draft, copy)
    await rename(copy, path)
    return 'taken'
  } finally {
    await rm(right, { force: true })
  }
}

async function livingHolder(content: string): Promise<number | undefined> {
  try {
    const { pid, startedAs } = Holder.parse(JSON.parse(content))
    return (await processIdentity(pid)) === startedAs ? pid : undefined
  } catch {
    return undefined
  }
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
