import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { freePort } from '../../src/db/embedded/free-port.ts'
import { within } from '../support/client.ts'
import { quietLog } from '../support/quiet-log.ts'

const START_MS = 60_000
const KEPT_LINES = 50

/** Rally as its operator runs it: a process, a data folder, and the Postgres that it keeps in there. */
export class ServerProcess implements AsyncDisposable {
  readonly url: string
  readonly dataDir: string
  readonly #port: number
  readonly #environment: Readonly<Record<string, string>>
  #child: ChildProcess | undefined
  /** The last lines of its standard output. */
  #lines: string[] = []

  private constructor(dataDir: string, port: number, environment: Readonly<Record<string, string>>) {
    this.dataDir = dataDir
    this.#port = port
    this.#environment = environment
    this.url = `http://localhost:${port}`
  }

  static async create(environment: Readonly<Record<string, string>>): Promise<ServerProcess> {
    const dataDir = await mkdtemp(join(tmpdir(), 'rally-recovery-'))
    return new ServerProcess(dataDir, await freePort(), environment)
  }

  /** Resolves when it reports that it is ready. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
      cwd: join(import.meta.dirname, '../..'),
      env: {
        PATH: process.env.PATH,
        NODE_ENV: 'development',
        PORT: String(this.#port),
        DATA_DIR: this.dataDir,
        LOG_LEVEL: 'warn',
        LIMIT_SOCKETS_PER_IP: '1000',
        LIMIT_UPGRADES_BURST: '1000',
        ...this.#environment,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#child = child
    const lines: string[] = []
    this.#lines = lines
    const ready = new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`it ended with ${code}:\n${lines.join('\n')}`)))
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (lines.push(line) > KEPT_LINES) lines.shift()
        if (line.includes('Rally is ready')) resolve()
      })
    })
    await within(ready, 'the server', START_MS)
  }

  signal(signal: 'SIGTERM'): void {
    this.#child?.kill(signal)
  }

  /** Ends the server by a signal; gives its exit code, null when the signal ended it. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) throw new Error('it does not run')
    const exited = once(child, 'exit')
    child.kill(signal)
    const [code] = await within(exited, 'its end', 15_000)
    return code
  }

  /** Resolves with its exit code and last output when it ends by itself. */
  async ended(deadlineMs: number): Promise<{ code: number | null; lines: readonly string[] }> {
    if (!this.#child) throw new Error('it does not run')
    const [code] = await within(once(this.#child, 'close'), 'its end', deadlineMs)
    return { code, lines: this.#lines }
  }

  /** Kills the server's Postgres, like a power cut or the kernel's OOM killer. */
  async cutPostgres(): Promise<void> {
    const [pid] = (await readFile(join(this.dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')
    process.kill(Number(pid), 'SIGKILL')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child
    if (child && child.exitCode === null && child.signalCode === null) await this.end('SIGKILL')
    if (this.#environment.DATABASE_URL === undefined) {
      // Adopts a Postgres that may still run there, in order to stop it.
      const postgres = await startEmbeddedPostgres({ dataDir: this.dataDir, log: quietLog })
      await postgres.stop()
    }
    await rm(this.dataDir, { recursive: true, force: true })
  }
}
