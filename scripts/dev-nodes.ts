// What several development nodes share: one Postgres, one Redis, and one port that spreads connections over them.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts'
import { freePort } from '../src/db/embedded/free-port.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface SharedByNodes {
  readonly url: string
  /** The environment of each node. */
  readonly environments: readonly Environment[]
  /** From now on the node gets clients. */
  listen(): Promise<void>
  close(): Promise<void>
}

/** Starts what `count` nodes share. Null, and a line that says why, where that is not possible. */
export async function startShared(count: number, given: Environment): Promise<SharedByNodes | null> {
  const hasRedis = given.REDIS_URL !== undefined || spawnSync('redis-server', ['--version']).status === 0
  if (!hasRedis) {
    process.stdout.write(
      `redis-server is not installed and REDIS_URL is not set: one node starts instead of ${count}\n`,
    )
    return null
  }
  const closers: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const port = Number(given.PORT ?? 3001)
    const ports = await Promise.all(Array.from({ length: count }, freePort))
    const shared: Environment = {
      ...given,
      DATABASE_URL: given.DATABASE_URL ?? (given.POSTGRES_USER ? undefined : await startPostgres(closers)),
      REDIS_URL: given.REDIS_URL ?? (await startRedis(closers)),
      PUBLIC_URL: given.PUBLIC_URL ?? `http://localhost:${port}`,
    }
    const front = startFront(ports)
    closers.push(async () => {
      front.close()
      front.cut()
    })
    return {
      url: shared.PUBLIC_URL ?? '',
      environments: ports.map((each) => ({ ...shared, HOST: '127.0.0.1', PORT: `${each}` })),
      async listen() {
        front.server.listen(port, given.HOST ?? '127.0.0.1')
        await once(front.server, 'listening')
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function startPostgres(closers: (() => Promise<unknown>)[]): Promise<string> {
  const quiet = () => undefined
  const log = { debug: quiet, info: quiet, warn: console.warn, error: console.error }
  const postgres = await startEmbeddedPostgres({ dataDir: process.env.DATA_DIR ?? '.data', log })
  closers.push(() => postgres.stop())
  return postgres.url
}

async function startRedis(closers: (() => Promise<unknown>)[]): Promise<string> {
  const port = await freePort()
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  // A process group of its own: Ctrl-C does not end it before the nodes have left.
  const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  closers.push(() => ended(child))
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('Ready to accept connections')) resolve()
    })
  })
  return `redis://127.0.0.1:${port}`
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

/** Each connection goes to the next node, or to the one after it if that does not answer. */
function startFront(ports: readonly number[]): { server: Server; close(): void; cut(): void } {
  const open = new Set<Socket>()
  let next = 0
  const server = createServer((client) => {
    client.on('error', () => client.destroy())
    lead(client, ports.length)
  })
  const lead = (client: Socket, tries: number): void => {
    const port = ports[next++ % ports.length] ?? 0
    const upstream = connect(port, '127.0.0.1')
    upstream.once('error', () => {
      if (tries > 1 && upstream.connecting) lead(client, tries - 1)
      else client.destroy()
    })
    upstream.once('connect', () => {
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        open.add(from)
        from.on('error', () => to.destroy())
        from.on('close', () => {
          open.delete(from)
          to.destroy()
        })
        from.pipe(to)
      }
    })
  }
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  return { server, close: () => server.close(), cut }
}
