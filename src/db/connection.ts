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

/**
 * The options of every connection Rally opens: each wait has a deadline, also where the other end is silent. The
 * session's time zone is UTC, as Prisma's adapter sends and reads times without their offset.
 */
export function connectionConfig(options: ConnectionOptions): pg.ClientConfig {
  const { url, connectTimeoutMs, statementTimeoutMs } = options
  const connection = new URL(url)
  const given = connection.searchParams.get('options')
  connection.searchParams.set('options', `${given === null ? '' : `${given} `}-c timezone=UTC`)
  return {
    connectionString: connection.href,
    application_name: 'rally',
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + SILENCE_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  }
}
