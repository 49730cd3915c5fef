import type { Db, Transaction, Tx } from '../db/database.ts'
import type { Sql } from '../db/sql.ts'
import type { Logger } from '../logger.ts'
import { type AnyMethod, type AnySubscription, type Call, definers, type Module } from '../rpc/index.ts'
import type { Job } from './periodic-jobs.ts'
import type { Platform, ServiceKey } from './platform.ts'
import type { Scope } from './scope.ts'

export { service } from './platform.ts'

/** What a handler is given. One a request. */
export class Context implements Scope {
  readonly call: Call<Transaction>
  readonly platform: Platform

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

  /** Writes log lines under the name of the module. */
  get log(): Logger {
    return this.platform.log.of(this.call.type.slice(0, this.call.type.indexOf('.')))
  }

  /** A module's service. */
  use<T>(key: ServiceKey<T>): T {
    return this.platform.use(key)
  }

  afterCommit(effect: () => void): void {
    this.call.afterCommit(effect)
  }
}

/** `method()` and `subscription()` for handlers that are given a `Context`. */
export const { method, subscription } = definers<Context>()

/** A namespace of methods and subscriptions with the service behind them. */
export interface ServiceModule<
  Methods extends Readonly<Record<string, AnyMethod>> = Readonly<Record<string, AnyMethod>>,
  Subscriptions extends Readonly<Record<string, AnySubscription>> = Readonly<Record<string, AnySubscription>>,
> extends Module<Methods, Subscriptions> {
  /** Made when the server starts; absent where the module keeps nothing. */
  readonly service?: ServiceKey<object>
  /** Periodic work, by name; it runs from the start of the server to its stop. */
  readonly jobs?: Readonly<Record<string, Job>>
}

/** Declares a module: what `modules/index.ts` lists. */
export function module<
  const Methods extends Readonly<Record<string, AnyMethod>>,
  const Subscriptions extends Readonly<Record<string, AnySubscription>>,
>(definition: ServiceModule<Methods, Subscriptions>): ServiceModule<Methods, Subscriptions> {
  return definition
}
