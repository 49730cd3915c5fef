import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Bus } from './bus/bus.ts'
import { createDraining, TELL_MS } from './bus/draining.ts'
import { createMemoryBus } from './bus/memory.ts'
import { createNodeCalls } from './bus/node-calls.ts'
import { translateError } from './client-errors.ts'
import { Closers } from './closers.ts'
import type { Config } from './config.ts'
import { createDatabase, type Transaction } from './db/database.ts'
import { startEmbeddedPostgres } from './db/embedded/embedded-postgres.ts'
import { migrate } from './db/migrate.ts'
import { sealSecretAnswers } from './db/secret-encryption.ts'
import { createOnce, SWEEP_MS } from './db/stored-answers.ts'
import { withDeadline } from './deadline.ts'
import { createDocuments } from './documents/index.ts'
import { Engine, NodeLease } from './engine/index.ts'
import type { Games } from './games/game.ts'
import { createLoggers, type Logger } from './logger.ts'
import { createMetrics } from './metrics.ts'
import { Context, type ServiceModule } from './modules/define.ts'
import { startJobs } from './modules/periodic-jobs.ts'
import { createPlatform, type Platform } from './modules/platform.ts'
import { closeCodes } from './protocol/index.ts'
import { type Call, Dispatcher, Hub, RpcError, type SessionGate, SHARE_LIMITS_MS, shareLimits } from './rpc/index.ts'
import { statusOf } from './server/http-status.ts'
import { createServer, type Server } from './server/server.ts'
import { sessionCookieName } from './server/session-cookie.ts'
import { loadUws } from './server/uws.ts'
import { startTracing } from './tracing/tracing.ts'
import { CurrentWork } from './tracing/work.ts'

const { version: packageVersion }: { version: string } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
)

/** The parts of a server. */
export interface AppOptions {
  readonly config: Config
  /** By their names. */
  readonly modules: Readonly<Record<string, ServiceModule>>
  readonly games: Games
  /** The folder of the application's own migrations. */
  readonly migrationsDir?: string | undefined
  /** The folder of the page that is served at `/`. Default: Rally's own. */
  readonly webDir?: string | undefined
  /** Ends the start: open parts are closed, and the promise rejects. It has no effect on a server that runs. */
  readonly signal?: AbortSignal | undefined
  /** Takes each line of the log. Default: standard output. */
  readonly writeLogLine?: ((line: string) => void) | undefined
  /** Makes the bus where there is no Redis. Default: to this server alone. */
  readonly createBus?: typeof createMemoryBus | undefined
}

/** A running Rally. */
export interface App {
  /** Where it can be reached. */
  readonly url: string
  readonly port: number
  /** Where monitoring reaches it. Undefined when there is no admin port. */
  readonly adminUrl: string | undefined
  readonly platform: Platform
  /** Resolves with the reason when it cannot go on and has to be stopped: its Postgres is gone. */
  readonly failed: Promise<Error>
  /** The longest that `stop` takes, ms. */
  readonly maxStopMs: number
  /**
   * Lets live matches and requests under way finish, sends the clients elsewhere, and closes everything in reverse order. Live
   * matches and requests may take `drainMs`, by default `DRAIN_SECONDS`. A later call with 0 ends that time at once.
   */
  stop(drainMs?: number): Promise<void>
}

/** Rally's own page, as `npm run build` leaves it. */
const WEB_DIR = fileURLToPath(new URL('../web/dist', import.meta.url))
/** For the services to end what cannot go on, and to tell its clients. */
const SETTLE_MS = 1_000
/** For requests under way, after the time in which live matches may finish. */
const REQUESTS_MS = 1_000
/** For closing everything, once the requests under way are answered. */
const CLOSE_MS = 4_000
/** For a part that may wait for a database that hangs. */
const HANGING_MS = 700

/** Makes a server's parts and starts it. The parts close in reverse order, also when a later one fails to start. */
export async function startApp(options: AppOptions): Promise<App> {
  const closers = new Closers()
  try {
    return await compose(options, closers)
  } catch (error) {
    // The error of the start matters more than what could not be closed afterwards.
    await closers.closeAll(CLOSE_MS).catch(() => undefined)
    throw error
  }
}

async function compose(options: AppOptions, closers: Closers): Promise<App> {
  const { config, modules, games, migrationsDir, webDir = WEB_DIR } = options
  const { signal: starting = new AbortController().signal } = options
  const node = randomUUID()
  const current = new CurrentWork()
  const fields = () => current.logFields()
  const { logLevel: level, logFormat: format } = config
  const log = createLoggers({ level, format, node, fields, writeLine: options.writeLogLine })
  const version = config.version ?? packageVersion
  const tracing = await startTracing({ settings: config.tracing, log, current, node, version })
  // First, so that it closes last.
  if (tracing) closers.add('the traces', () => tracing.close())

  // Before anything is opened, as it may say that this Node does not do.
  await loadUws()
  let fail: (error: Error) => void = () => undefined
  const failed = new Promise<Error>((resolve) => {
    fail = resolve
  })
  const databaseUrl = config.databaseUrl ?? (await ownPostgres())
  await unlessAborted(() => migrate({ databaseUrl, applicationDir: migrationsDir, log: log.db }), starting)
  const database = await createDatabase({ url: databaseUrl, ...config.database, observer: tracing, log: log.db })
  closers.add('the database', () => database.close(), HANGING_MS)

  const bus = await openBus(config, node, log.bus, options.createBus)
  closers.add('the bus', () => bus.close())
  await unlessAborted(() => bus.start(), starting)
  const failedCall = (error: unknown, asked: string) => log.bus.error({ err: error, asked }, 'a node call failed')
  const nodes = createNodeCalls(bus, failedCall, tracing)

  const hub = new Hub({
    bus,
    limits: config.limits,
    ...(config.production ? {} : { inspect: (type, event) => dispatcher.inspectEvent(type, event) }),
  })
  const once = createOnce(database)
  const dispatcher: Dispatcher<Context, Transaction> = new Dispatcher<Context, Transaction>({
    modules: Object.values(modules),
    limits: config.limits,
    hub,
    once: sealSecretAnswers(once, config.secrets.encryption),
    createContext: (call: Call<Transaction>) => new Context(platform, call),
    checkOutput: !config.production,
    translateError,
    observer: tracing,
    log: log.rpc,
  })
  closers.add('the dispatcher', () => dispatcher.stop())
  const sharedLimits = shareLimits(bus, dispatcher.admission, dispatcher.entries)
  closers.add('the shared limits', () => sharedLimits.stop())

  const engine = new Engine({
    maxRewindMs: config.maxRewindMs,
    onError: (error, matchId) => log.engine.error({ err: error, matchId }, 'a listener of the engine failed'),
  })
  closers.add('the engine', () => engine.stop())

  const lease = new NodeLease({
    sql: database.reserved,
    node,
    onError: (error) => log.engine.warn({ err: error }, 'the lease of this node could not be renewed'),
  })
  const { connections } = dispatcher
  const draining = createDraining(bus)
  closers.add('the draining', () => draining.stop())
  const requests = () => dispatcher.answered
  const shared = { log, database, bus, hub, connections, games, node, version, requests, nodes, lease, engine }
  const traced: Platform['traced'] = (name, attributes, run) => tracing?.run(name, attributes, run) ?? run()
  const parts = { ...shared, traced, draining: draining.signal }
  const { platform, services, markStarted } = createPlatform({ config: { ...config, databaseUrl }, ...parts })
  for (const { service } of Object.values(modules)) if (service) platform.use(service)
  await unlessAborted(() => lease.start(), starting)
  closers.add('the lease', () => lease.stop(), HANGING_MS)
  for (const [{ name }, service] of services) {
    await unlessAborted(async () => service.start?.(), starting)
    closers.add(name, () => service.stop?.(), service.stopWithinMs ?? HANGING_MS)
  }
  markStarted()
  const jobs = Object.values(modules).flatMap((module) => startJobs(platform, module.name, module.jobs))
  jobs.push(platform.every('db.deleteOldAnswers', SWEEP_MS, () => once.sweep()))
  jobs.push(platform.every('rpc.shareLimits', SHARE_LIMITS_MS, async () => sharedLimits.tell()))
  jobs.push(platform.every('app.tellDraining', TELL_MS, async () => draining.tell()))
  closers.add('the periodic jobs', () => Promise.all(jobs.map((job) => job.stop())), HANGING_MS)

  const offered = [...services.values()]
  const metrics = createMetrics({
    version,
    dispatcher,
    hub,
    engine,
    bus,
    pools: database.pools,
    queues: offered.flatMap(({ queues = {} }) => Object.entries(queues)),
    server: () => server,
    isDraining: () => draining.signal.aborted,
  })
  closers.add('the metrics', () => metrics.close())

  const sessionCookie = sessionCookieName(config.production)
  const described = { version, publicUrl: config.publicUrl, sessionCookie, statusOf }
  const isPlaying = (userId: string) => offered.some((service) => service.isPlaying?.(userId) === true)
  const server: Server = createServer({
    config,
    dispatcher,
    hub,
    gate: offered.find(({ sessions }) => sessions)?.sessions ?? noSessions,
    tokens: offered.find(({ tokens }) => tokens)?.tokens,
    isPlaying,
    database,
    bus,
    metrics: metrics.text,
    observer: tracing,
    log: log.server,
    node,
    version,
    webDir,
    documents: createDocuments(Object.values(modules), described),
  })
  closers.add('the server', () => server.close())
  starting.throwIfAborted()
  const addresses = await server.listen()
  starting.throwIfAborted()
  draining.markListening()

  let stopping: Promise<void> | undefined
  const noTimeLeft = new AbortController()
  return {
    ...addresses,
    platform,
    failed,
    maxStopMs: config.drainGraceMs + config.drainMs + SETTLE_MS + REQUESTS_MS + CLOSE_MS,
    stop(drainMs = config.drainMs) {
      if (drainMs === 0) noTimeLeft.abort()
      stopping ??= leave(drainMs)
      return stopping
    },
  }

  async function leave(drainMs: number): Promise<void> {
    server.beginDraining()
    draining.begin()
    log.app.info({ sockets: connections.size, matches: engine.size }, 'this node leaves')
    await sleep(config.drainGraceMs)
    // Where no other node takes them, players of live matches stay until their match is over, and may come back to it.
    server.refuseSockets(({ user }) => user !== null && !draining.hasOtherNode() && isPlaying(user.id))
    await dispatcher.drain(drainMs, {
      isBusy: () => engine.size > 0,
      keeps: (socket) => !draining.hasOtherNode() && offered.some((service) => service.keepsSocket?.(socket)),
      signal: noTimeLeft.signal,
    })
    if (engine.size > 0) log.app.warn({ matches: engine.size }, 'live matches did not finish in time')
    await withDeadline(Promise.all(offered.map((service) => service.settle?.())), SETTLE_MS).catch((error) => {
      log.app.warn({ err: error }, 'not everything could be ended before the sockets were closed')
    })
    server.stopAccepting()
    dispatcher.refuseRequests()
    await dispatcher.drain(REQUESTS_MS)
    connections.closeAll(closeCodes.nodeLeaving, 'the node is leaving')
    const abandoned = await closers.closeAll(CLOSE_MS)
    if (abandoned.length > 0) log.app.warn({ parts: abandoned }, 'stopped without waiting for the database')
    else log.app.info('stopped')
  }

  async function ownPostgres(): Promise<string> {
    const { dataDir } = config
    const postgres = await startEmbeddedPostgres({ dataDir, log: log.db, onLost: fail, signal: starting })
    closers.add('the embedded Postgres', () => postgres.stop())
    return postgres.url
  }
}

async function openBus(config: Config, node: string, log: Logger, create = createMemoryBus): Promise<Bus> {
  if (config.redisUrl !== undefined) {
    const { createRedisBus } = await import('./bus/redis.ts')
    return createRedisBus({ url: config.redisUrl, prefix: config.redisPrefix, node, log })
  }
  return create((error, topic) => log.error({ err: error, topic }, 'a listener failed'), { node })
}

/** `work`, but rejects when the start is ended: a database that does not answer must not delay that. */
async function unlessAborted<T>(work: () => Promise<T>, starting: AbortSignal): Promise<T> {
  starting.throwIfAborted()
  const settled = new AbortController()
  return new Promise<T>((resolve, reject) => {
    starting.addEventListener('abort', () => reject(starting.reason), { signal: settled.signal })
    work().then(resolve, reject)
  }).finally(() => settled.abort())
}

/** The gate of a server whose modules offer no sessions. */
const noSessions: SessionGate = {
  resume: async () => null,
  extend: async () => null,
  redeem: () => Promise.reject(new RpcError('UNAUTHENTICATED', 'Nobody can sign in here')),
  end: async () => undefined,
}
