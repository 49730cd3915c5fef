import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Logger } from '../../../logger.ts'
import { EndReason } from '../types.ts'

/** The result of a match, as the node that ran it hands it over to be stored. */
export const MatchResult = z.object({
  matchId: z.string().regex(/^[\w-]{1,64}$/),
  /** The node that ran the match, and its fence. */
  node: z.string(),
  fence: z.number().int(),
  winnerSeat: z.number().int().nullable(),
  /** One for each seat; absent in files of earlier versions. */
  placements: z.array(z.number().int()).optional(),
  /** One for each seat. */
  scores: z.array(z.number().int()),
  endReason: EndReason.nullable(),
  /** Ms since the epoch. */
  finishedAt: z.number().int(),
  ticks: z.number().int(),
  finalState: z.unknown(),
  /** As `packInputs` made them. */
  inputs: z.unknown(),
})
export type MatchResult = z.infer<typeof MatchResult>

export interface ResultFilesOptions {
  readonly dir: string
  readonly log: Logger
  /** Default 10,000. */
  readonly maxFiles?: number
  /** Default 256 MiB. */
  readonly maxBytes?: number
}

const RESULT = '.json'
const CORRUPT = '.corrupt'
/** Longer than a process takes to write a file. */
const ABANDONED_MS = 60_000

/**
 * Results that the database did not take, one whole file each, until they are stored. A result beyond the bounds is lost
 * with this process. No method rejects: what fails is logged.
 */
export class ResultFiles {
  readonly #dir: string
  readonly #options: Required<ResultFilesOptions>
  /** Bytes of each file, by its name. */
  readonly #sizes = new Map<string, number>()

  constructor(options: ResultFilesOptions) {
    this.#dir = options.dir
    this.#options = { maxFiles: 10_000, maxBytes: 256 * 1024 * 1024, ...options }
  }

  /** The results that are kept. A file that holds none is set aside under another name. */
  async read(): Promise<MatchResult[]> {
    const results: MatchResult[] = []
    const names = await this.#attempt('', 'kept results could not be read', async () => {
      await mkdir(this.#dir, { recursive: true, mode: 0o700 })
      return (await readdir(this.#dir)).sort()
    })
    for (const name of names ?? []) {
      const result = await this.#attempt(name, 'a kept result could not be read', () => this.#readOne(name))
      if (result) results.push(result)
    }
    return results
  }

  /** Keeps a result; resolves with false where that is not possible. */
  async write(result: MatchResult): Promise<boolean> {
    const name = nameOf(result)
    if (this.#sizes.has(name)) return true
    const written = await this.#attempt(name, 'a result could not be kept until it is stored', async () => {
      const bytes = Buffer.from(JSON.stringify(result))
      const total = [...this.#sizes.values()].reduce((sum, size) => sum + size, bytes.length)
      const { maxFiles, maxBytes } = this.#options
      if (this.#sizes.size >= maxFiles || total > maxBytes) throw new Error('there is no room for it')
      this.#sizes.set(name, bytes.length)
      await this.#writeAtomically(name, bytes)
      return true
    })
    if (!written) this.#sizes.delete(name)
    return written ?? false
  }

  /** Deletes the file of a stored result. One that stays is offered again at the next start, which does nothing. */
  async remove(result: MatchResult): Promise<void> {
    const name = nameOf(result)
    if (!this.#sizes.has(name)) return
    await this.#attempt(name, 'the file of a stored result could not be deleted', async () => {
      await rm(join(this.#dir, name), { force: true })
      this.#sizes.delete(name)
    })
  }

  /** The database can never take this result: its file is set aside for an administrator, and not offered again. */
  async refuse(result: MatchResult): Promise<void> {
    const name = nameOf(result)
    if (this.#sizes.has(name)) await this.#setAside(name)
  }

  /** Null for a file that is no result, or is not offered any more. */
  async #readOne(name: string): Promise<MatchResult | null> {
    const path = join(this.#dir, name)
    const { size, mtimeMs } = await stat(path)
    if (!name.endsWith(RESULT) && !name.endsWith(CORRUPT)) {
      // A process ended while it wrote this; a younger file may still be written.
      if (Date.now() - mtimeMs > ABANDONED_MS) await rm(path, { force: true })
      return null
    }
    this.#sizes.set(name, size)
    if (name.endsWith(CORRUPT)) return null
    const result = parse(await readFile(path, 'utf8'))
    if (result && nameOf(result) === name) return result
    await this.#setAside(name)
    return null
  }

  async #writeAtomically(name: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 })
    const temporary = join(this.#dir, `${name}.${randomBytes(4).toString('hex')}`)
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, join(this.#dir, name))
    // The new name is in the folder, which has to be flushed too.
    const folder = await open(this.#dir, 'r')
    await folder.sync().finally(() => folder.close())
  }

  async #setAside(name: string): Promise<void> {
    await this.#attempt(name, 'the file of a result cannot be set aside', async () => {
      const aside = `${name}${CORRUPT}`
      await rename(join(this.#dir, name), join(this.#dir, aside))
      this.#sizes.set(aside, this.#sizes.get(name) ?? 0)
      this.#sizes.delete(name)
      this.#options.log.error({ file: join(this.#dir, aside) }, 'a kept result cannot be stored; its file is set aside')
    })
  }

  /** Undefined when `work` fails. */
  async #attempt<T>(name: string, failure: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      this.#options.log.error({ err: error, file: join(this.#dir, name) }, failure)
      return undefined
    }
  }
}

function nameOf({ matchId, fence }: MatchResult): string {
  return `${matchId}.${fence}${RESULT}`
}

function parse(text: string): MatchResult | null {
  try {
    return MatchResult.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}
