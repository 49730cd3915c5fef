import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Logger } from '../../../logger.ts'

/** The result of a match, as whoever ran it hands it over to be stored. */
export const MatchResult = z.object({
  matchId: z.string().regex(/^[\w-]{1,64}$/),
  /** Who ran the match, and with which fence. */
  node: z.string(),
  fence: z.number().int(),
  winnerSeat: z.number().int().nullable(),
  /** One a seat. */
  scores: z.array(z.number().int()),
  endReason: z.string().nullable(),
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
  readonly maxFiles?: number
  readonly maxBytes?: number
}

const MAX_FILES = 10_000
const MAX_BYTES = 256 * 1024 * 1024
const RESULT = '.json'
const CORRUPT = '.corrupt'
/** No process writes a file for this long. */
const ABANDONED_MS = 60_000

/**
 * Results that the database did not take, one file each, so that they outlive this process. A file is there whole or
 * not at all, and stays until its result is stored. What is over the bounds is not kept: its result is lost with the
 * process.
 */
export class ResultFiles {
  readonly #dir: string
  readonly #log: Logger
  readonly #maxFiles: number
  readonly #maxBytes: number
  /** Bytes of each file there is, by its name. */
  readonly #sizes = new Map<string, number>()
  #bytes = 0

  constructor({ dir, log, maxFiles = MAX_FILES, maxBytes = MAX_BYTES }: ResultFilesOptions) {
    this.#dir = dir
    this.#log = log
    this.#maxFiles = maxFiles
    this.#maxBytes = maxBytes
  }

  /**
   * The results that are kept. A file that holds none is set aside under another name. Never rejects: what cannot be
   * read is logged, and does not keep a server from starting.
   */
  async read(): Promise<MatchResult[]> {
    const results: MatchResult[] = []
    try {
      await this.#readInto(results)
    } catch (error) {
      this.#log.error({ err: error, dir: this.#dir }, 'results that were kept could not be read')
    }
    return results
  }

  async #readInto(results: MatchResult[]): Promise<void> {
    for (const name of await this.#names()) {
      try {
        const result = await this.#readOne(name)
        if (result) results.push(result)
      } catch (error) {
        this.#log.error({ err: error, file: join(this.#dir, name) }, 'a result that was kept could not be read')
      }
    }
  }

  /** Null for what is no result, or none that is offered. */
  async #readOne(name: string): Promise<MatchResult | null> {
    const path = join(this.#dir, name)
    const { size, mtimeMs } = await stat(path)
    if (!name.endsWith(RESULT) && !name.endsWith(CORRUPT)) {
      // A process ended while it wrote this; a younger one may still be written.
      if (Date.now() - mtimeMs > ABANDONED_MS) await rm(path, { force: true })
      return null
    }
    this.#count(name, size)
    if (!name.endsWith(RESULT)) return null
    const result = parse(await readFile(path, 'utf8'))
    if (result && nameOf(result) === name) return result
    await this.#setAside(name)
    return null
  }

  /** Keeps a result; resolves with false, and says why in the log, where that is not possible. */
  async write(result: MatchResult): Promise<boolean> {
    const name = nameOf(result)
    if (this.#sizes.has(name)) return true
    const bytes = this.#encode(result)
    if (!bytes) return false
    if (this.#sizes.size >= this.#maxFiles || this.#bytes + bytes.length > this.#maxBytes) {
      this.#log.error(
        { matchId: result.matchId, files: this.#sizes.size },
        'no room to keep a result until it is stored',
      )
      return false
    }
    this.#count(name, bytes.length)
    try {
      await this.#writeAtomically(name, bytes)
      return true
    } catch (error) {
      this.#uncount(name)
      this.#log.error({ err: error, matchId: result.matchId }, 'a result could not be kept until it is stored')
      return false
    }
  }

  /** The result is stored. Never rejects: a file that stays is offered again at the next start, which does nothing. */
  async remove(result: MatchResult): Promise<void> {
    const name = nameOf(result)
    if (!this.#sizes.has(name)) return
    try {
      await rm(join(this.#dir, name), { force: true })
      this.#uncount(name)
    } catch (error) {
      this.#log.warn({ err: error, file: join(this.#dir, name) }, 'the file of a stored result could not be deleted')
    }
  }

  /** The database can never take this result: its file stays for whoever looks into it, and is not offered again. */
  async refuse(result: MatchResult): Promise<void> {
    const name = nameOf(result)
    if (this.#sizes.has(name)) await this.#setAside(name)
  }

  #encode(result: MatchResult): Buffer | null {
    try {
      return Buffer.from(JSON.stringify(result))
    } catch (error) {
      this.#log.error({ err: error, matchId: result.matchId }, 'a result could not be encoded')
      return null
    }
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
    // The name is in the folder, which is a file of its own.
    const folder = await open(this.#dir, 'r')
    await folder.sync().finally(() => folder.close())
  }

  async #setAside(name: string): Promise<void> {
    const aside = `${name}${CORRUPT}`
    try {
      await rename(join(this.#dir, name), join(this.#dir, aside))
      this.#count(aside, this.#sizes.get(name) ?? 0)
      this.#uncount(name)
      this.#log.error({ file: join(this.#dir, aside) }, 'a kept result cannot be stored; its file is set aside')
    } catch (error) {
      this.#log.error({ err: error, file: join(this.#dir, name) }, 'the file of a result cannot be set aside')
    }
  }

  async #names(): Promise<string[]> {
    try {
      return (await readdir(this.#dir)).sort()
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      throw error
    }
  }

  #count(name: string, size: number): void {
    this.#uncount(name)
    this.#sizes.set(name, size)
    this.#bytes += size
  }

  #uncount(name: string): void {
    this.#bytes -= this.#sizes.get(name) ?? 0
    this.#sizes.delete(name)
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
