import { randomBytes } from 'node:crypto'
import { generateSync } from 'otplib'
import type { z } from 'zod'
import type { Bus } from '../../src/bus/bus.ts'
import { createMemoryBus, type MemoryCluster } from '../../src/bus/memory.ts'
import { createNodeCalls } from '../../src/bus/node-calls.ts'
import { type Config, readConfig } from '../../src/config.ts'
import type { Database, Transaction } from '../../src/db/database.ts'
import { sealSecretAnswers } from '../../src/db/secret-encryption.ts'
import type { Sql } from '../../src/db/sql.ts'
import { createOnce } from '../../src/db/stored-answers.ts'
import { Engine, NodeLease } from '../../src/engine/index.ts'
import { AuthService, auth } from '../../src/modules/auth/index.ts'
import { Authorized, Candidate } from '../../src/modules/auth/types.ts'
import { Context } from '../../src/modules/define.ts'
import { startJobs } from '../../src/modules/periodic-jobs.ts'
import { createPlatform, type Platform, type ServiceKey } from '../../src/modules/platform.ts'
import { defaultLimits } from '../../src/protocol/index.ts'
import {
  type Call,
  type Caller,
  Connection,
  type ConnectionStart,
  Dispatcher,
  Hub,
  type SignedIn,
} from '../../src/rpc/index.ts'
import { databaseTest } from '../support/database-test.ts'
import { frameOf } from '../support/frame.ts'
import { quietLoggers } from '../support/quiet-log.ts'

/** The bus of one more node of a cluster. */
export const busIn = (cluster: MemoryCluster): Bus =>
  createMemoryBus(
    (error) => {
      throw error
    },
    { cluster },
  )

const ENVIRONMENT = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://rally.example.com',
  DATABASE_URL: 'postgresql://unused@127.0.0.1/unused',
  JWT_SECRET: randomBytes(48).toString('base64'),
  COOKIE_SECRET: randomBytes(48).toString('base64'),
  ENCRYPTION_KEY: `one:${randomBytes(32).toString('base64')}`,
  LIMIT_AUTH_PER_IP: '1000',
}

export function config(environment: Record<string, string> = {}): Config {
  return readConfig({ ...ENVIRONMENT, ...environment })
}

/** A clock that stands still until it is moved, in the middle of a time step. */
export class Clock {
  ms = Math.floor(Date.now() / 30_000) * 30_000 + 15_000
  readonly now = () => this.ms
  advance(ms: number): void {
    this.ms += ms
  }
  /** The code that an app shows now, or so many steps from now. */
  code(secret: string, steps = 0): string {
    return generateSync({ secret, epoch: Math.floor(this.ms / 1000) + steps * 30 })
  }
  /** A code that is none of the three that are good now. */
  wrongCode(secret: string): string {
    const good = [-1, 0, 1].map((steps) => this.code(secret, steps))
    return ['000000', '111111', '222222', '333333'].find((code) => !good.includes(code)) ?? ''
  }
}

export interface Answer {
  readonly type: string
  readonly eid: string
  readonly data: Record<string, unknown>
  readonly error?: string
}

/** Sent frames in their order, and what closed the socket. */
class TestPeer {
  readonly frames: Answer[] = []
  readonly topics = new Set<string>()
  closed: { code: number; reason: string } | undefined
  readonly #watchers = new Set<() => void>()

  send(frame: string | Uint8Array): void {
    if (this.closed) return
    this.frames.push(JSON.parse(Buffer.from(frame).toString()))
    this.#changed()
  }
  join(topic: string): void {
    this.topics.add(topic)
  }
  leave(topic: string): void {
    this.topics.delete(topic)
  }
  unsentBytes(): number {
    return 0
  }
  close(code: number, reason: string): void {
    this.closed ??= { code, reason }
    this.#changed()
  }
  /** Resolves with what `look` finds, as soon as it does. */
  until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`nothing came: ${JSON.stringify(this.frames)}`))
      const deadline = setTimeout(late, 10_000)
      const watch = () => {
        const found = look()
        if (found === undefined) return
        clearTimeout(deadline)
        this.#watchers.delete(watch)
        resolve(found)
      }
      this.#watchers.add(watch)
      watch()
    })
  }
  #changed(): void {
    for (const watch of [...this.#watchers]) watch()
  }
}

class TestConnection extends Connection {
  readonly #peer: TestPeer

  constructor(start: ConnectionStart, peer: TestPeer) {
    super(start, performance.now())
    this.#peer = peer
  }
  send = (frame: string | Uint8Array) => this.#peer.send(frame)
  join = (topic: string) => this.#peer.join(topic)
  leave = (topic: string) => this.#peer.leave(topic)
  unsentBytes = () => this.#peer.unsentBytes()
  override close = (code: number, reason: string) => this.#peer.close(code, reason)
}

let lastEid = 0

/** A socket without a transport. */
export class TestSocket {
  readonly connection: Connection
  readonly peer: TestPeer
  readonly #node: TestNode

  constructor(node: TestNode, peer: TestPeer, connection: Connection) {
    this.#node = node
    this.peer = peer
    this.connection = connection
  }

  async ask(type: string, data: object = {}, eid = `e${++lastEid}`): Promise<Answer> {
    const { frames } = this.peer
    const from = frames.length
    this.#node.dispatcher.receive(this.connection, frameOf(type, data, eid))
    return this.peer.until(() => frames.slice(from).find((frame) => frame.eid === eid))
  }

  /** The answer's data, which has to be of this schema. */
  async get<S extends z.ZodType>(schema: S, type: string, data: object = {}): Promise<z.output<S>> {
    const answer = await this.ask(type, data)
    if (answer.error) throw new Error(`${type}: ${answer.error} ${JSON.stringify(answer.data)}`)
    return schema.parse(answer.data)
  }

  closed(): Promise<{ code: number; reason: string }> {
    return this.peer.until(() => this.peer.closed)
  }
}

export interface TestNode {
  readonly clock: Clock
  readonly dispatcher: Dispatcher<Context, Transaction>
  readonly auth: AuthService
  readonly platform: Platform
  socket(caller?: Partial<Caller>): TestSocket
  /** A socket with the session's cookie. */
  socketOf(signedIn: SignedIn, caller?: Partial<Caller>): TestSocket
  stop(): Promise<void>
}

/** The same database, with the names of the prepared statements that go through it, in their order. */
export function recorded(database: Database): { database: Database; statements: string[] } {
  const statements: string[] = []
  const watch = (sql: Sql): Sql => ({
    rows(statement, values) {
      statements.push(statement.name)
      return sql.rows(statement, values)
    },
    first(statement, values) {
      statements.push(statement.name)
      return sql.first(statement, values)
    },
  })
  return { statements, database: { ...database, sql: watch(database.sql), reserved: watch(database.reserved) } }
}

export interface NodeOptions {
  readonly database: Database
  readonly clock: Clock
  readonly config?: Config
  /** Alone unless given. */
  readonly bus?: Bus
}

/** The auth module behind a dispatcher, with everything real but the transport. */
export async function startNode(options: NodeOptions): Promise<TestNode> {
  const { database, clock } = options
  const own = options.config ?? config()
  const log = quietLoggers()
  const shared = options.bus ?? busIn(new Map())
  const hub = new Hub({ bus: shared, limits: defaultLimits })
  const peers = new Set<TestPeer>()
  hub.attach((topic, frame) => {
    for (const peer of peers) if (peer.topics.has(topic)) peer.send(frame)
  })
  const dispatcher: Dispatcher<Context, Transaction> = new Dispatcher<Context, Transaction>({
    modules: [auth],
    limits: { ...own.limits, requestsBurst: 10_000, requestsPerSecond: 10_000, requestsInFlight: 1000 },
    hub,
    once: sealSecretAnswers(createOnce(database), own.secrets.encryption),
    createContext: (call: Call<Transaction>) => new Context(platform, call),
    checkOutput: true,
    translateError: () => undefined,
    log: {
      error: (details) => {
        failures.push(details)
      },
    },
  })
  const failures: object[] = []
  const engine = new Engine({ maxRewindMs: 0, onError: () => undefined })
  const { platform: parts } = createPlatform({
    config: own,
    log,
    database,
    bus: shared,
    hub,
    connections: dispatcher.connections,
    games: {},
    node: 'test',
    traced: (_name, _attributes, run) => run(),
    version: '0.0.0-test',
    requests: () => dispatcher.answered,
    nodes: createNodeCalls(shared, (error) => failures.push({ err: error })),
    engine,
    lease: new NodeLease({ sql: database.reserved, node: 'test', onError: () => undefined }),
    draining: new AbortController().signal,
  })
  // The service with the test's clocks in place of the module's own.
  const platform: Platform = {
    ...parts,
    use: <T>(key: ServiceKey<T>) => (key.name === 'auth' ? service : parts.use(key)) as T,
  }
  const service = new AuthService(platform, { now: clock.now, elapsed: clock.now })
  await service.start()
  const jobs = startJobs(platform, auth.name, auth.jobs)

  const node: TestNode = {
    clock,
    dispatcher,
    auth: service,
    platform,
    socket(caller = {}) {
      const peer = new TestPeer()
      peers.add(peer)
      const nobody: Caller = {
        user: null,
        sessionId: null,
        token: null,
        ip: '192.0.2.1',
        userAgent: 'test',
        device: null,
      }
      const connection = new TestConnection(dispatcher.admit({ ...nobody, ...caller }), peer)
      dispatcher.open(connection)
      return new TestSocket(node, peer, connection)
    },
    socketOf: ({ user, sessionId }, caller = {}) => node.socket({ ...caller, user, sessionId }),
    async stop() {
      await Promise.all(jobs.map((job) => job.stop()))
      await service.stop()
      dispatcher.stop()
      engine.stop()
      if (failures.length > 0) throw new AggregateError(failures, 'handlers failed')
    },
  }
  return node
}

export interface Registered extends Authorized {
  readonly secret: string
  readonly recoveryCodes: string[]
}

let lastName = 0

/** A name that no other test has. */
export function freshName(): string {
  return `player_${++lastName}`
}

/** Registers a user over a socket of their own. The code of the present step is used up by it. */
export async function register(node: TestNode, username = freshName()): Promise<Registered> {
  const socket = node.socket()
  const { secret } = await socket.get(Candidate, 'auth.begin', { username })
  const authorized = await socket.get(Authorized, 'auth.verify', { code: node.clock.code(secret) })
  return { ...authorized, recoveryCodes: authorized.recoveryCodes ?? [], secret }
}

export async function registerAndEnter(node: TestNode): Promise<Registered & { signedIn: SignedIn }> {
  const registered = await register(node)
  const signedIn = await node.auth.sessions.redeem(registered.token, { ip: '192.0.2.1', userAgent: 'test' })
  return { ...registered, signedIn }
}

/** A socket on which `auth.begin` has been answered for this name. */
export async function begun(node: TestNode, username: string, caller: Partial<Caller> = {}): Promise<TestSocket> {
  const socket = node.socket(caller)
  const { error } = await socket.ask('auth.begin', { username })
  if (error) throw new Error(`auth.begin: ${error}`)
  return socket
}

/** Each test has nodes and a clock of its own, on a database of its file. */
export const test = databaseTest()
  .extend('clock', () => new Clock())
  .extend('cluster', (): MemoryCluster => new Map())
  .extend('node', async ({ database, clock, cluster }, { onCleanup }) => {
    const node = await startNode({ database, clock, bus: busIn(cluster) })
    onCleanup(() => node.stop())
    return node
  })
  .extend('otherNode', async ({ database, clock, cluster }, { onCleanup }) => {
    const node = await startNode({ database, clock, bus: busIn(cluster) })
    onCleanup(() => node.stop())
    return node
  })
