import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '../../src/db/embedded/free-port.ts'
import { createCookies } from '../../src/server/session-cookie.ts'
import { within } from '../support/client.ts'
import { createTestDatabase } from '../support/database.ts'

const KEPT_LINES = 200
/** Pino's levels of errors and of fatal ones. */
const WORSE_THAN_WARNING = /"level":(50|60)/
const SESSION_MS = 60 * 60_000

/** Rally in production, with the limits that it has by default, as a process of its own. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly databaseUrl: string
  /** Signs a session's cookie as the server does; gives the `Cookie` header. */
  cookieOf(userId: string, sessionId: string): Promise<string>
  /** The last lines of its log. */
  readonly log: readonly string[]
  /** The first lines of its log that are worse than warnings. */
  readonly errors: readonly string[]
  /** Bytes. */
  residentMemory(): number
  /** The value of a metric, summed over its labels. */
  metric(name: string): Promise<number>
  /** Ends it by SIGTERM and starts it again on the same port and database; resolves when it is ready. */
  restart(): Promise<void>
}

export async function startServerProcess(environment: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const database = environment.DATABASE_URL === undefined ? await createTestDatabase() : undefined
  const databaseUrl = database?.url ?? environment.DATABASE_URL ?? ''
  const dataDir = await mkdtemp(join(tmpdir(), 'rally-faults-'))
  const port = await freePort()
  const secret = () => randomBytes(48).toString('base64')
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    // Nothing here is about matches that finish while their node leaves.
    DRAIN_SECONDS: '0',
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    PUBLIC_URL: 'https://rally.example.com',
    JWT_SECRET: secret(),
    COOKIE_SECRET: secret(),
    METRICS_TOKEN: secret(),
    ENCRYPTION_KEY: `1:${randomBytes(32).toString('base64')}`,
    ...environment,
  }
  const cookies = createCookies(new TextEncoder().encode(env.COOKIE_SECRET), true)
  const url = `http://127.0.0.1:${port}`
  const log: string[] = []
  const errors: string[] = []
  let child = await start()

  async function start() {
    const started = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
      cwd: join(import.meta.dirname, '../..'),
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ready = new Promise<void>((resolve, reject) => {
      started.once('exit', (code) => reject(new Error(`the server ended with ${code}\n${log.join('\n')}`)))
      createInterface({ input: started.stdout }).on('line', (line) => {
        if (log.push(line) > KEPT_LINES) log.shift()
        if (WORSE_THAN_WARNING.test(line) && errors.length < KEPT_LINES) errors.push(line)
        if (line.includes('Rally is ready')) resolve()
      })
    })
    await within(ready, 'the server', 60_000)
    return started
  }

  async function end(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    await within(exited, 'the end of the server', 30_000).catch(() => child.kill('SIGKILL'))
  }

  return {
    url,
    port,
    databaseUrl,
    log,
    errors,
    async cookieOf(userId, sessionId) {
      const setCookie = cookies.session(userId, sessionId, Date.now() + SESSION_MS)
      return setCookie.slice(0, setCookie.indexOf(';'))
    },
    residentMemory() {
      const [, kilobytes = ''] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1')) ?? []
      return Number(kilobytes) * 1024
    },
    async metric(name) {
      const headers = { Authorization: `Bearer ${env.METRICS_TOKEN}` }
      const text = await (await fetch(`${url}/metrics`, { headers })).text()
      const values = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      if (values.length === 0) throw new Error(`there is no metric ${name}`)
      return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    },
    async restart() {
      await end()
      child = await start()
    },
    async [Symbol.asyncDispose]() {
      await end()
      await database?.drop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
