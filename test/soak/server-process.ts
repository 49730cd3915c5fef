import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { freePort } from '../../src/db/embedded/free-port.ts'
import { within } from '../support/client.ts'
import { quietLog } from '../support/quiet-log.ts'
import type { Held } from './tracked-maps.ts'

export type Question =
  | { readonly ask: 'load' }
  | { readonly ask: 'memory' }
  /** Lets so much time pass by the monotonic clock. */
  | { readonly ask: 'skip'; readonly ms: number }
  | { readonly ask: 'held' }
export type Answer = Load | Memory | { readonly held: readonly Held[] } | Record<never, never>

const Load = z.object({ sockets: z.number(), matches: z.number() })
type Load = z.infer<typeof Load>
/** `heldBytes`: objects and buffers after a garbage collection, without compiled code. */
const Memory = z.object({ heldBytes: z.number(), residentBytes: z.number() })
export type Memory = z.infer<typeof Memory>
const AllHeld = z.object({ held: z.array(z.object({ made: z.string(), size: z.number() })) })
const Started = z.object({ url: z.string() })
const LogLine = z.object({ level: z.number() })

const START_MS = 120_000
const ANSWER_MS = 30_000
/** pino's number for `warn`. */
const WARN = 40
const MAX_LINES = 50

/** Rally in production, in a process and on a database of its own. */
export class SoakServer implements AsyncDisposable {
  readonly url: string
  /** Log lines above `warn`, and what is no log line. */
  readonly errors: string[] = []
  warnings = 0
  readonly #child: ChildProcess
  readonly #tidy: () => Promise<void>

  private constructor(url: string, child: ChildProcess, tidy: () => Promise<void>) {
    this.url = url
    this.#child = child
    this.#tidy = tidy
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => this.#read(line))
  }

  static async start(): Promise<SoakServer> {
    const dataDir = await mkdtemp(join(tmpdir(), 'rally-soak-'))
    const postgres = await startEmbeddedPostgres({ dataDir, log: quietLog, durable: false })
    const tidy = async () => {
      await postgres.stop()
      await rm(dataDir, { recursive: true, force: true })
    }
    const port = await freePort()
    const secret = () => randomBytes(48).toString('base64')
    const file = join(import.meta.dirname, 'server.ts')
    const tracking = join(import.meta.dirname, 'tracked-maps.ts')
    const child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', '--import', tracking, file], {
      env: {
        PATH: process.env.PATH,
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: String(port),
        PUBLIC_URL: `http://localhost:${port}`,
        DATA_DIR: dataDir,
        DATABASE_URL: postgres.url,
        JWT_SECRET: secret(),
        COOKIE_SECRET: secret(),
        ENCRYPTION_KEY: `1:${randomBytes(32).toString('base64')}`,
        // One machine stands for many.
        LIMIT_AUTH_PER_IP: '1000000',
        LIMIT_TIMES_PER_IP: '10000',
        LIMIT_WRONG_CODES_PER_HOUR: '1000000',
        MATCH_COUNTDOWN_MS: '300',
        MATCH_COME_BACK_MS: '5000',
        DRAIN_GRACE_MS: '0',
        DRAIN_SECONDS: '0',
      },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    try {
      const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the server ended with ${code}`)))
      const started = Promise.race([once(child, 'message'), ended])
      started.catch(() => undefined)
      const [message] = await within(started, 'the server', START_MS)
      return new SoakServer(Started.parse(message).url, child, tidy)
    } catch (error) {
      child.kill('SIGKILL')
      await tidy()
      throw error
    }
  }

  async load(): Promise<Load> {
    return Load.parse(await this.#ask({ ask: 'load' }))
  }

  async memory(): Promise<Memory> {
    return Memory.parse(await this.#ask({ ask: 'memory' }))
  }

  async skip(ms: number): Promise<void> {
    await this.#ask({ ask: 'skip', ms })
  }

  async held(): Promise<readonly Held[]> {
    return AllHeld.parse(await this.#ask({ ask: 'held' })).held
  }

  /** Stops it by SIGTERM; gives its exit code. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const [code] = await within(exited, 'its end', ANSWER_MS)
    return code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => this.#child.kill('SIGKILL'))
    await this.#tidy()
  }

  async #ask(question: Question): Promise<unknown> {
    const answered = once(this.#child, 'message')
    this.#child.send(question)
    const [answer] = await within(answered, `the answer to ${question.ask}`, ANSWER_MS)
    return answer
  }

  #read(line: string): void {
    const level = levelOf(line)
    if (level === WARN) this.warnings++
    if (level > WARN && this.errors.length < MAX_LINES) this.errors.push(line)
  }
}

function levelOf(line: string): number {
  try {
    return LogLine.parse(JSON.parse(line)).level
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
