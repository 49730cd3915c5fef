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

/** A platform, and its services in the order in which they were made. */
export function createPlatform(parts: Omit<Platform, 'use'>): {
  readonly platform: Platform
  readonly services: ReadonlyMap<ServiceKey<unknown>, Service>
} {
  const services = new Map<ServiceKey<unknown>, Service>()
  const underWay: string[] = []
  const use = <T>(key: ServiceKey<T>): T => {
    // What is kept under a key was made by it.
    const known = services.get(key) as T | undefined
    if (known !== undefined) return known
    if (underWay.includes(key.name))
      throw new Error(`services need each other: ${[...underWay, key.name].join(' -> ')}`)
    underWay.push(key.name)
    try {
      const made = key.create(platform)
      services.set(key, made as Service)
      return made
    } finally {
      underWay.pop()
    }
  }
  const platform: Platform = { ...parts, use }
  return { platform, services }
}
