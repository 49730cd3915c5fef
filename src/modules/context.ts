import type { Bus } from '../bus/bus.ts'
import type { NodeCalls } from '../bus/node-calls.ts'
import type { Config } from '../config.ts'
import type { Database, Db, Transaction, Tx } from '../db/database.ts'
import type { Sql } from '../db/sql.ts'
import type { Games } from '../games/game.ts'
import type { Loggers } from '../logger.ts'
import type { Call, Channel, Connections, Hub } from '../rpc/index.ts'
import { definers } from '../rpc/index.ts'
import type { AuthService } from './auth/index.ts'
import type { LiveService } from './live/index.ts'
import type { MatchService } from './matches/index.ts'

/** What all modules stand on. */
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
}

/** The modules' own services, made once by the composition root. */
export interface Services {
  readonly auth: AuthService
  readonly matches: MatchService
  readonly live: LiveService
}

/** What reads and writes go through in one request: the transaction of a write, else the plain client. */
export interface Scope {
  readonly db: Db | Tx
  readonly sql: Sql
  /** Runs `effect` once what this request wrote is committed. */
  afterCommit(effect: () => void): void
}

/** What a handler is given. One a request. */
export class Context implements Scope {
  readonly call: Call<Transaction>
  readonly platform: Platform
  readonly #services: Services

  constructor(platform: Platform, services: Services, call: Call<Transaction>) {
    this.platform = platform
    this.#services = services
    this.call = call
  }

  get user() {
    return this.call.caller.user
  }

  get db(): Db | Tx {
    return this.call.tx?.db ?? this.platform.database.db
  }

  get sql(): Sql {
    return this.call.tx?.sql ?? this.platform.database.sql
  }

  get auth(): AuthService {
    return this.#services.auth
  }

  get matches(): MatchService {
    return this.#services.matches
  }

  get live(): LiveService {
    return this.#services.live
  }

  afterCommit(effect: () => void): void {
    this.call.afterCommit(effect)
  }

  /** Publishes an event once this request is committed. */
  publish<Event>(channel: Channel<Event>, seq: number, event: Event): void {
    this.call.afterCommit(() => this.platform.hub.publish(channel, seq, event))
  }
}

/** `method()` and `subscription()` as the modules use them. */
export const { method, subscription } = definers<Context>()
