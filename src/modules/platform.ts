import type { Bus } from '../bus/bus.ts'
import type { NodeCalls } from '../bus/node-calls.ts'
import type { Config } from '../config.ts'
import type { Database, Db, Tx } from '../db/database.ts'
import type { Sql } from '../db/sql.ts'
import type { Engine, NodeLease } from '../engine/index.ts'
import type { Games } from '../games/game.ts'
import type { HistogramCounts } from '../histogram.ts'
import type { Loggers } from '../logger.ts'
import type { Connection, Connections, Hub, SessionGate, TokenGate } from '../rpc/index.ts'
import type { UserId } from './wire.ts'

/** What all services and handlers of one server share. */
export interface Platform {
  readonly config: Config
  readonly log: Loggers
  readonly database: Database
  readonly bus: Bus
  readonly hub: Hub
  readonly connections: Connections
  /** The games that this server offers. */
  readonly games: Games
  /** The id of this process in the cluster. */
  readonly node: string
  /** What this process runs: `RALLY_VERSION`, else the version of the package. */
  readonly version: string
  /** How many requests this process has answered since its start. */
  readonly requests: () => number
  /** Calls to other nodes. */
  readonly nodes: NodeCalls
  /** The lease that shows other nodes that this node is alive and runs its matches. */
  readonly lease: NodeLease
  readonly engine: Engine
  /** Aborts when this node was told to stop: queues close, and nothing new starts here. What runs may finish. */
  readonly draining: AbortSignal
  /** Runs work that no request asked for. Where traces are exported it is a span, with its statements and messages. */
  traced<T>(name: string, attributes: Readonly<Record<string, string>>, run: () => Promise<T>): Promise<T>
  /** The service of `key`, made when it is first asked for. @throws Error when two services need each other */
  use<T>(key: ServiceKey<T>): T
  /** All services that were made, by their names. */
  allServices(): ReadonlyMap<string, Service>
  /**
   * Runs `work` every `everyMs`, counted from the end of the last run; the first time after `everyMs`. Of several failures
   * in a row the first is logged, and the success after them.
   *
   * @param name `module.job`, for the log
   */
  every(name: string, everyMs: number, work: PeriodicWork): PeriodicJob
}

/** `stopping` aborts when the job is stopped, so that long work can end early. A returned promise is awaited. */
type PeriodicWork = (stopping: AbortSignal) => unknown

export interface PeriodicJob {
  /** Resolves when the job does not run any more. */
  stop(): Promise<void>
}

/** Something in which work waits for its turn. */
export interface Queue {
  readonly length: number
  /** How long what left the queue has waited, ms. */
  readonly waits: HistogramCounts
}

/** What a request reads and writes through: the transaction of a write, else the plain client. */
export interface Scope {
  readonly db: Db | Tx
  readonly sql: Sql
  /** Runs `effect` once what this request wrote is committed. */
  afterCommit(effect: () => void): void
}

/** What a service may have beside its own methods. */
export interface Service {
  /** Called before the server listens, in the order in which the services were made. */
  start?(): Promise<void>
  /**
   * Called when the time to drain is over, while sockets are still open: ends what cannot go on, and tells its clients. The
   * server waits a second for it.
   */
  settle?(): Promise<void>
  /** Called in reverse order, after the last socket is closed. Resolves when the service does nothing any more. */
  stop?(): Promise<void>
  /** The server waits so long for `stop`, ms, in case the database hangs. Default 700. */
  readonly stopWithinMs?: number
  /** How the transport finds the user of a session cookie. One service of a server offers it. */
  readonly sessions?: SessionGate
  /** Of the service that keeps tokens. */
  readonly tokens?: TokenGate
  /** What waits in this service, by `module.name`, for `/metrics`. */
  readonly queues?: Readonly<Record<string, Queue>>
  /** Whether the user plays a live match. A dead connection of such a user is closed within 4 s. */
  isPlaying?(userId: string): boolean
  /** Whether a node that leaves keeps this socket until its live matches are over. Asked where no other node could take it. */
  keepsSocket?(connection: Connection): boolean
  /**
   * Ends what the user takes part in and tells the others, because the user was banned or removes the account. It runs in that
   * transaction, which has locked the user's row: of all services one after the other, as they were made.
   */
  leaveAll?(scope: Scope, userId: UserId): Promise<void>
  /**
   * Runs after `leaveAll` of all services when the user removes the account, before the user's row is deleted. It takes out what
   * no foreign key does, such as a name in the row of somebody else.
   */
  forget?(scope: Scope, userId: UserId): Promise<void>
  /**
   * Everything that this module keeps of a user, as plain JSON, for `users.export`. The user reads it: no secrets, and nothing
   * private of others. It is deleted with the user's row, by foreign keys.
   */
  exportOf?(userId: string, sql: Sql): Promise<unknown>
}

/** How a service is asked for: `ctx.use(key)` in a handler, `platform.use(key)` in another service. */
export interface ServiceKey<T> {
  readonly name: string
  create(platform: Platform): T
}

/** Declares a service. */
export function service<T extends object & Service>(name: string, create: (platform: Platform) => T): ServiceKey<T> {
  return { name, create }
}

export function createPlatform(parts: Omit<Platform, 'use' | 'allServices' | 'every'>) {
  /** In the order of their creation. */
  const services = new Map<ServiceKey<unknown>, Service>()
  const underWay: string[] = []
  let areStarted = false

  function use<T>(key: ServiceKey<T>): T {
    // Each service is kept under the key that made it.
    const known = services.get(key) as T | undefined
    if (known !== undefined) return known
    const path = [...underWay, key.name]
    if (underWay.includes(key.name)) throw new Error(`services need each other: ${path.join(' -> ')}`)
    underWay.push(key.name)
    try {
      const made = key.create(platform)
      const service: Service = made as Service
      if (areStarted && (service.start || service.stop)) {
        throw new Error(`the service ${key.name} would not be started: name it as the \`service\` of a module`)
      }
      services.set(key, service)
      return made
    } finally {
      underWay.pop()
    }
  }

  const platform: Platform = {
    ...parts,
    use,
    allServices: () => new Map([...services].map(([{ name }, service]) => [name, service])),
    every: (name, everyMs, work) => every(name, everyMs, work, parts.log),
  }
  return {
    platform,
    services,
    /** All services are started. From now on a new service that needs a start is refused. */
    markStarted() {
      areStarted = true
    },
  }
}

/** What `platform.every` does. */
export function every(name: string, everyMs: number, work: PeriodicWork, loggers: Loggers): PeriodicJob {
  const log = loggers.of(name.slice(0, name.indexOf('.')))
  const stopping = new AbortController()
  let isFailing = false
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  async function run(): Promise<void> {
    try {
      await work(stopping.signal)
      if (isFailing) log.info({ job: name }, 'a periodic job works again')
      isFailing = false
    } catch (error) {
      if (!isFailing) log.warn({ err: error, job: name }, 'a periodic job failed, and is tried again')
      isFailing = true
    }
    if (!stopping.signal.aborted) wait()
  }

  function wait(): void {
    timer = setTimeout(() => {
      running = run()
    }, everyMs)
  }

  wait()
  return {
    async stop() {
      stopping.abort()
      clearTimeout(timer)
      await running
    },
  }
}
