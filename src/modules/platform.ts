import type { Bus } from '../bus/bus.ts'
import type { NodeCalls } from '../bus/node-calls.ts'
import type { Config } from '../config.ts'
import type { Database } from '../db/database.ts'
import type { Engine, NodeLease } from '../engine/index.ts'
import type { Games } from '../games/game.ts'
import type { Loggers } from '../logger.ts'
import type { Connections, Hub, SessionGate } from '../rpc/index.ts'

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
  /** Calls to other nodes. */
  readonly nodes: NodeCalls
  /** The lease that shows other nodes that this node is alive and runs its matches. */
  readonly lease: NodeLease
  readonly engine: Engine
  /**
   * The service of `key`. It is made once a server, when it is first asked for.
   *
   * @throws Error when two services need each other
   */
  use<T>(key: ServiceKey<T>): T
  /**
   * Runs `work` every `everyMs`, counted from the end of the last run; the first time after `everyMs`. Of several failures
   * in a row the first is logged, and the success after them.
   *
   * @param name `module.job`, for the log
   */
  every(name: string, everyMs: number, work: PeriodicWork): PeriodicJob
}

/** `stopping` aborts when the job is stopped, so that long work can end early. A returned promise is awaited. */
export type PeriodicWork = (stopping: AbortSignal) => unknown

export interface PeriodicJob {
  /** Resolves when the job does not run any more. */
  stop(): Promise<void>
}

/** What a service may have beside its own methods. */
export interface Service {
  /** Called before the server listens, in the order in which the services were made. */
  start?(): Promise<void>
  /** Called in reverse order, after the last socket is closed. Resolves when the service does nothing any more. */
  stop?(): Promise<void>
  /** The server waits so long for `stop`, ms, in case the database hangs. Default 700. */
  readonly stopWithinMs?: number
  /** How the transport finds the user of a session cookie. One service of a server offers it. */
  readonly sessions?: SessionGate
  /** Whether the user plays a live match. A dead connection of such a user is closed within 4 s. */
  isPlaying?(userId: string): boolean
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
