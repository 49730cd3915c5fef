import type pg from 'pg'

/** Where the database is and how long to wait for it. */
export interface ConnectionOptions {
  /** `postgresql://user:password@host:port/database` */
  readonly url: string
  /** For a new connection, and for a free one of a busy pool. */
  readonly connectTimeoutMs: number
  /** For one statement, locks included. */
  readonly statementTimeoutMs: number
}

/** What the server's own limit may be late by before we give up on a connection that says nothing. */
const SILENCE_MS = 2000

/** The options of every connection Rally opens: each wait has a deadline, also where the other end is silent. */
export function connectionConfig({ url, connectTimeoutMs, statementTimeoutMs }: ConnectionOptions): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'rally',
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: statementTimeoutMs + SILENCE_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  }
}

export interface SessionSettings {
  readonly statementTimeoutMs: number
  /** How long a transaction may say nothing before the server ends it. Default: as the server has it. */
  readonly idleInTransactionMs?: number
}

/**
 * The settings of every session, as SQL for its start: among the parameters of a connection a pooler such as PgBouncer
 * refuses them. The time zone is UTC, as Prisma's adapter sends and reads times without their offset.
 */
export function sessionSettings({ statementTimeoutMs, idleInTransactionMs }: SessionSettings): string {
  const settings = [`SET timezone TO 'UTC'`, `SET statement_timeout TO ${Math.ceil(statementTimeoutMs)}`]
  if (idleInTransactionMs !== undefined) {
    settings.push(`SET idle_in_transaction_session_timeout TO ${Math.ceil(idleInTransactionMs)}`)
  }
  return settings.join('; ')
}
