import type { Bus } from '../bus/bus.ts'
import type { NodeCalls } from '../bus/node-calls.ts'
import type { Config } from '../config.ts'
import type { Database } from '../db/database.ts'
import type { Engine, NodeLease } from '../engine/index.ts'
import type { Games } from '../games/game.ts'
import type { Loggers } from '../logger.ts'
import type { Connections, Hub, SessionGate } from '../rpc/index.ts'

/** What the services of all modules are built on. One a server. */
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
  /** This process' sign of life, by which others know that it runs its matches. */
  readonly lease: NodeLease
  readonly engine: Engine
  /**
   * The service of `key`: made when it is first asked for, once a server.
   *
   * @throws Error when two services need each other
   */
  use<T>(key: ServiceKey<T>): T
  /**
   * Does `work` every `everyMs`, counted from the end of the last run, the first time after `everyMs`. A run that fails is
   * logged, and so is the first one that works again; the failures between them are not.
   *
   * @param name `module.job`, for the log
   */
  every(name: string, everyMs: number, work: PeriodicWork): PeriodicJob
}

/** `stopping` aborts when the job is stopped: work of many steps ends between two of them. */
export type PeriodicWork = (stopping: AbortSignal) => unknown

export interface PeriodicJob {
  /** Resolves when nothing of the job runs any more. */
  stop(): Promise<void>
}

/** What may make a service run, and what it may offer to the transport. */
export interface Service {
  /** Called before the server listens, in the order in which the services were made. */
  start?(): Promise<void>
  /** Called in the reverse order, after the last socket is closed. Resolves when nothing of the service runs any more. */
  stop?(): Promise<void>
  /** How long `stop` is waited for while the database hangs, ms. Default 700. */
  readonly stopWithinMs?: number
  /** Sessions of browsers: one service of a server may offer them. */
  readonly sessions?: SessionGate
  /** Whether the user plays a live match: a dead connection of theirs is noticed within 4 s. */
  isPlaying?(userId: string): boolean
}

/** Names a service and makes it: `ctx.use(key)` in a handler, `platform.use(key)` in another service. */
export interface ServiceKey<T> {
  readonly name: string
  create(platform: Platform): T
}

/** Declares a service, which is made once a server, when it is first asked for. */
export function service<T extends object & Service>(name: string, create: (platform: Platform) => T): ServiceKey<T> {
  return { name, create }
}
