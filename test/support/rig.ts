import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { type Config, readConfig } from '../../src/config.ts'
import type { Limits } from '../../src/protocol/index.ts'
import { type Call, channel, Dispatcher, definers, Hub, module, type Once, RpcError } from '../../src/rpc/index.ts'
import {
  createServer,
  type Server,
  type ServerOptions,
  type SessionGate,
  type SignedIn,
} from '../../src/server/index.ts'
import { type Cookies, createCookies } from '../../src/server/session-cookie.ts'

export interface RigOptions {
  readonly limits?: Partial<Limits>
  readonly config?: Partial<Config>
  readonly server?: Partial<Pick<ServerOptions, 'isReady' | 'metrics' | 'webDir' | 'receiveBinary'>>
}

export interface Rig extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly config: Config
  readonly server: Server
  readonly hub: Hub
  readonly dispatcher: Dispatcher<Context, object>
  readonly gate: FakeGate
  readonly cookies: Cookies
  readonly world: World
  /** What was logged as an error. */
  readonly errors: object[]
  /** The `Cookie` header of a browser where this user is signed in. */
  cookieOf(username: string): Promise<string>
  stop(): Promise<void>
}

/** Sessions in memory, and what tests want to go wrong with a database. */
export class FakeGate implements SessionGate {
  readonly sessions = new Map<string, SignedIn>()
  readonly tickets = new Map<string, SignedIn>()
  readonly calls: string[] = []
  /** Set: nothing answers before it resolves. */
  hold: Promise<void> | null = null
  fails = false

  async resume(sessionId: string, userId: string): Promise<SignedIn | null> {
    await this.#ask('resume')
    return this.#find(sessionId, userId)
  }

  async extend(sessionId: string, userId: string): Promise<SignedIn | null> {
    await this.#ask('extend')
    return this.#find(sessionId, userId)
  }

  async redeem(ticket: string): Promise<SignedIn> {
    await this.#ask('redeem')
    const signedIn = this.tickets.get(ticket)
    if (!signedIn) throw new RpcError('UNAUTHENTICATED', 'Not a ticket')
    this.tickets.delete(ticket)
    this.sessions.set(signedIn.sessionId, signedIn)
    return signedIn
  }

  async end(sessionId: string): Promise<void> {
    await this.#ask('end')
    this.sessions.delete(sessionId)
  }

  async #ask(what: string): Promise<void> {
    this.calls.push(what)
    await this.hold
    if (this.fails) throw new Error('no database')
  }

  #find(sessionId: string, userId: string): SignedIn | null {
    const found = this.sessions.get(sessionId)
    return found?.user.id === userId ? found : null
  }
}

/** What the test module's handlers work on, and what they did. */
export class World {
  count = 0
  /** Calls of `t.hang` whose signal has fired. */
  aborted = 0
  inputs = 0
  readonly #hub: Hub
  readonly #logs = new Map<string, { seq: number; items: number[] }>()
  #frame = 0

  constructor(hub: Hub) {
    this.#hub = hub
  }

  /** Adds one entry to a log and tells its followers. */
  append(key: string, padding = ''): void {
    const log = this.log(key)
    log.seq++
    this.#hub.publish(logChannel(key), log.seq, { n: log.seq, padding })
  }

  log(key: string): { seq: number; items: number[] } {
    const log = this.#logs.get(key) ?? { seq: 0, items: [] }
    this.#logs.set(key, log)
    return log
  }

  endLog(key: string): void {
    this.#hub.end(logChannel(key), 'over')
  }

  get frame(): number {
    return this.#frame
  }

  /** Publishes the next state of a `latest` stream, whose events each stand alone. */
  show(padding = ''): void {
    this.#frame++
    this.#hub.publish(frameChannel, this.#frame, { n: this.#frame, padding })
  }
}

const Entry = z.object({ n: z.number(), padding: z.string() })
type Entry = z.infer<typeof Entry>
const logChannel = (key: string) => channel<Entry>('t.onLog', key)
const frameChannel = channel<Entry>('t.onFrame')

export interface Context {
  readonly call: Call<object>
  readonly user: { readonly id: string; readonly username: string } | null
}

const { method, subscription } = definers<Context>()

function testModule(world: () => World) {
  const Counted = z.object({ count: z.number() })
  return module({
    name: 't',
    methods: {
      echo: method({
        access: 'anyone',
        effect: 'read',
        input: z.object({ value: z.unknown() }),
        output: z.object({ value: z.unknown() }),
        handle: ({ input }) => ({ value: input.value }),
      }),
      strict: method({
        access: 'anyone',
        effect: 'read',
        input: z.strictObject({ list: z.array(z.object({ a: z.number(), b: z.enum(['x', 'y']) })) }),
        output: z.object({}),
        handle: () => ({}),
      }),
      whoAmI: method({
        access: 'anyone',
        effect: 'read',
        input: z.object({}),
        output: z.object({ username: z.string().nullable(), ip: z.string(), device: z.array(z.string()).nullable() }),
        handle: ({ ctx }) => {
          const { ip, device } = ctx.call.caller
          return { username: ctx.user?.username ?? null, ip, device: device && [...device.users] }
        },
      }),
      secret: method({
        access: 'user',
        effect: 'read',
        input: z.object({}),
        output: z.object({}),
        handle: () => ({}),
      }),
      hang: method({
        access: 'anyone',
        effect: 'read',
        input: z.object({}),
        output: z.object({}),
        handle: ({ ctx }) =>
          new Promise<Record<string, never>>((_, reject) => {
            ctx.call.signal.addEventListener('abort', () => {
              world().aborted++
              reject(new Error('aborted'))
            })
          }),
      }),
      crash: method({
        access: 'anyone',
        effect: 'read',
        input: z.object({}),
        output: z.object({}),
        handle: () => {
          throw new Error('the password is hunter2')
        },
      }),
      count: method({
        access: 'user',
        effect: 'write',
        input: z.object({ fail: z.boolean().optional() }),
        output: Counted,
        errors: ['NOT_FOUND'],
        handle: async ({ input, fail }) => {
          await new Promise(setImmediate)
          world().count++
          if (input.fail) throw fail('NOT_FOUND', `there is no ${world().count}`)
          return { count: world().count }
        },
      }),
      countAnonymously: method({
        access: 'anyone',
        effect: 'write',
        input: z.object({}),
        output: Counted,
        handle: async () => {
          await new Promise(setImmediate)
          return { count: ++world().count }
        },
      }),
      limited: method({
        access: 'anyone',
        effect: 'read',
        limit: { points: 2, perSeconds: 60 },
        input: z.object({}),
        output: z.object({}),
        handle: () => ({}),
      }),
      input: method({
        access: 'anyone',
        effect: 'input',
        input: z.object({ move: z.number() }),
        output: z.object({}),
        handle: () => {
          world().inputs++
          return {}
        },
      }),
    },
    subscriptions: {
      onLog: subscription({
        access: 'anyone',
        delivery: 'reliable',
        input: z.object({ key: z.string(), since: z.number().optional(), slow: z.boolean().optional() }),
        event: Entry,
        snapshot: Counted,
        async open({ input }) {
          const at = world().log(input.key).seq
          // A database takes its time to answer with what it read.
          if (input.slow) for (let i = 0; i < 3; i++) await new Promise(setImmediate)
          const opened = { channel: logChannel(input.key), seq: at }
          if (input.since === undefined) return { ...opened, snapshot: { count: at } }
          const { since } = input
          const missed = Array.from({ length: at - since }, (_, i) => since + i + 1)
          return { ...opened, missed: missed.map((n) => ({ seq: n, data: { n, padding: '' } })) }
        },
      }),
      onFrame: subscription({
        access: 'anyone',
        delivery: 'latest',
        input: z.object({}),
        event: Entry,
        open: () => ({ channel: frameChannel, seq: world().frame, snapshot: { n: world().frame, padding: '' } }),
      }),
      onMine: subscription({
        access: 'user',
        delivery: 'reliable',
        input: z.object({}),
        event: Entry,
        open: ({ ctx }) => ({ channel: logChannel(ctx.user.id), seq: 0, snapshot: { n: 0, padding: '' } }),
      }),
    },
  })
}

/** Keeps the first answers in memory, one execution at a time for each key. */
function createMemoryOnce(): Once<object> {
  const answers = new Map<string, Promise<string>>()
  return {
    async run({ userId, eid, type }, execute, answerOf) {
      const key = `${userId} ${eid} ${type}`
      const known = answers.get(key)
      if (known) return { answer: await known, executed: false }
      const first = execute({}).catch((error: unknown) => {
        const answer = answerOf(error)
        if (answer !== undefined) return answer
        answers.delete(key)
        throw error
      })
      answers.set(key, first)
      return { answer: await first, executed: true }
    },
  }
}

/** A server with a module made for tests, sessions in memory and no database. */
export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rally-rig-'))
  const base = readConfig({ NODE_ENV: 'test', PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'silent' })
  const config: Config = { ...base, ...options.config, limits: { ...base.limits, ...options.limits } }
  const errors: object[] = []
  const log = { error: (details: object) => void errors.push(details) }

  const bus = createMemoryBus((error, topic) => errors.push({ err: error, topic }))
  const hub = new Hub({ bus, latestUnsentBytes: config.limits.latestUnsentBytes })
  const world = new World(hub)
  const dispatcher = new Dispatcher<Context, object>({
    modules: [testModule(() => world)],
    limits: config.limits,
    hub,
    once: createMemoryOnce(),
    createContext: (call) => ({ call, user: call.caller.user }),
    checkOutput: true,
    translateError: () => undefined,
    log,
  })
  const gate = new FakeGate()
  const cookies = createCookies(config.secrets.cookie, config.production)
  const server = createServer({
    config,
    dispatcher,
    hub,
    gate,
    isReady: async () => {},
    log,
    node: 'node-under-test',
    version: '0.0.0-test',
    webDir: join(dataDir, 'no-page'),
    ...options.server,
  })
  const stop = async () => {
    await server.close()
    dispatcher.stop()
    await bus.close()
    await rm(dataDir, { recursive: true, force: true })
  }
  const { port, url } = await server.listen().catch(async (error: unknown) => {
    await stop()
    throw error
  })

  return {
    url,
    port,
    config,
    server,
    hub,
    dispatcher,
    gate,
    cookies,
    world,
    errors,
    async cookieOf(username) {
      const expiresAt = Date.now() + 30 * 86_400_000
      const signedIn = { user: { id: `id-of-${username}`, username }, sessionId: `session-of-${username}`, expiresAt }
      gate.sessions.set(signedIn.sessionId, signedIn)
      const header = await cookies.session(signedIn.user.id, signedIn.sessionId, expiresAt)
      return header.slice(0, header.indexOf(';'))
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
