import type { Db, Transaction, Tx } from '../db/database.ts'
import type { Sql } from '../db/sql.ts'
import type { Logger } from '../logger.ts'
import { type Call, definers, type Methods, type Module, routeDefiners, type Subscriptions } from '../rpc/index.ts'
import type { Job } from './periodic-jobs.ts'
import type { Platform, ServiceKey } from './platform.ts'
import type { Scope } from './scope.ts'

export { service } from './platform.ts'

/** What a handler gets, one for each request. */
export class Context implements Scope {
  readonly call: Call<Transaction>
  readonly platform: Platform
  #log: Logger | undefined

  constructor(platform: Platform, call: Call<Transaction>) {
    this.platform = platform
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

  /** The logger of the handler's module. Its lines have the ids of the call and the user. */
  get log(): Logger {
    const { type, logFields } = this.call
    this.#log ??= this.platform.log.of(type.slice(0, type.indexOf('.'))).child(logFields)
    return this.#log
  }

  /** The service of `key`, of this module or another. */
  use<T>(key: ServiceKey<T>): T {
    return this.platform.use(key)
  }

  afterCommit(effect: () => void): void {
    this.call.afterCommit(effect)
  }
}

/** `method()` and `subscription()` for handlers that are given a `Context`. */
export const { method, subscription } = definers<Context>()

/** HTTP addresses besides `/rpc`: `route()` of a method, `fileRoute()` of bytes. */
export const { route, fileRoute } = routeDefiners<Context>()

/** A module: methods and subscriptions under one namespace, and what runs behind them. */
export interface ServiceModule<M extends Methods = Methods, S extends Subscriptions = Subscriptions>
  extends Module<M, S> {
  /** Made, started and stopped with the server. */
  readonly service?: ServiceKey<object>
  /** Periodic work by name, from the start of the server to its stop. */
  readonly jobs?: Readonly<Record<string, Job>>
}

/** Declares a module: what `modules/index.ts` lists. */
export function module<const M extends Methods, const S extends Subscriptions>(definition: ServiceModule<M, S>) {
  return definition
}
