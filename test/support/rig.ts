import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { type Config, readConfig } from '../../src/config.ts'
import type { Limits } from '../../src/protocol/index.ts'
import { Dispatcher, Hub, type Module, type Once, type WriteKey } from '../../src/rpc/index.ts'
import { createServer, type Server, type ServerOptions } from '../../src/server/server.ts'
import { type Cookies, createCookies } from '../../src/server/session-cookie.ts'
import { callerUser } from './caller-user.ts'
import { FakeGate } from './fake-gate.ts'
import { type RigContext, testModule, World } from './rig-module.ts'

/** For tests that are about large frames of sockets without a user. */
export const anyBytes = { anonymousFrameBytes: 64 * 1024, bytesPerSecond: 1e9, bytesBurst: 1e9 }

export interface RigOptions {
  readonly limits?: Partial<Limits>
  readonly config?: Partial<Config>
  /** Beside the module made for tests. */
  readonly modules?: readonly Module[]
  readonly server?: Partial<
    Pick<ServerOptions, 'isPlaying' | 'database' | 'documents' | 'metrics' | 'tokens' | 'webDir'>
  >
}

export interface Rig extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly adminUrl: string | undefined
  readonly config: Config
  readonly server: Server
  readonly hub: Hub
  readonly dispatcher: Dispatcher<RigContext, object>
  readonly gate: FakeGate
  readonly cookies: Cookies
  readonly world: World
  /** What was logged as an error. */
  readonly errors: object[]
  /** What was logged for information. */
  readonly notes: object[]
  /** The `Cookie` header of a browser where this user is signed in. */
  cookieOf(username: string): Promise<string>
  stop(): Promise<void>
}

/** Keeps the first answers in memory, one execution at a time for each key. */
function createMemoryOnce(): Once<object> {
  const answers = new Map<string, Promise<string>>()
  const idOf = ({ userId, eid, type }: WriteKey) => `${userId} ${eid} ${type}`
  return {
    recall: (key) => answers.get(idOf(key)),
    async run(key, execute, answerOf) {
      const id = idOf(key)
      const first = execute({}).catch((error: unknown) => {
        const answer = answerOf?.(error)
        if (answer !== undefined) return answer
        answers.delete(id)
        throw error
      })
      answers.set(id, first)
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
  const notes: object[] = []
  const log = {
    error: (details: object) => void errors.push(details),
    info: (details: object) => void notes.push(details),
  }

  const bus = createMemoryBus((error, topic) => errors.push({ err: error, topic }))
  const hub = new Hub({ bus, limits: config.limits })
  const world = new World(hub)
  const dispatcher = new Dispatcher<RigContext, object>({
    modules: [testModule(() => world), ...(options.modules ?? [])],
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
    database: { ping: async () => {} },
    bus: { ping: async () => {} },
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
  const addresses = await server.listen().catch(async (error: unknown) => {
    await stop()
    throw error
  })

  return {
    ...addresses,
    config,
    server,
    hub,
    dispatcher,
    gate,
    cookies,
    world,
    errors,
    notes,
    async cookieOf(username) {
      const expiresAt = Date.now() + 30 * 86_400_000
      const signedIn = { user: callerUser(username), sessionId: `session-of-${username}`, expiresAt }
      gate.sessions.set(signedIn.sessionId, signedIn)
      const header = cookies.session(signedIn.user.id, signedIn.sessionId, expiresAt)
      return header.slice(0, header.indexOf(';'))
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
