import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeEach } from 'vitest'
import { freePort } from '../../src/db/embedded/free-port.ts'

/** Whether this machine has a Redis. */
export const isRedisInstalled = spawnSync('redis-server', ['--version']).status === 0

if (!isRedisInstalled && process.env.REQUIRE_REDIS) {
  throw new Error('REQUIRE_REDIS is set, and there is no redis-server on this machine')
}

/** Leaves the tests of a file or a `describe` out on a machine without a Redis, unless `REQUIRE_REDIS` is set. */
export function needsRedis(): void {
  beforeEach(({ skip }) => skip(!isRedisInstalled, 'redis-server is not installed'))
}

/** A Redis of a test's own. */
export interface TestRedis extends AsyncDisposable {
  readonly port: number
  readonly url: string
  /** Ends the process; with `start` it comes back empty, on the same port. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** Starts a redis-server on a free port. It keeps nothing. */
export async function startRedis(...options: readonly string[]): Promise<TestRedis> {
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'rally-test-redis-'))
  let running: ChildProcess | undefined

  const stop = async () => {
    const child = running
    running = undefined
    if (!child) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  const start = async () => {
    const own = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
    const child = spawn('redis-server', [...own, ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
    running = child
    const lines = createInterface({ input: child.stdout })
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        if (line.includes('Ready to accept connections')) resolve()
      })
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)))
    })
  }
  await start()
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
