import pg from 'pg'
import { withDeadline } from '../deadline.ts'
import { Histogram, WAIT_MS } from '../histogram.ts'
import type { Log } from '../logger.ts'
import { observeStatements, type StatementObserver } from './observed-statements.ts'
import type { Sql, Statement } from './sql.ts'

/** Where the database is and how long to wait for it. */
export interface ConnectionOptions {
  /** `postgresql://user:password@host:port/database` */
  readonly url: string
  /** For a new connection, and for a free one of a busy pool. */
  readonly connectTimeoutMs: number
  /** For one statement, locks included. */
  readonly statementTimeoutMs: number
}

/** How late the server's own limit may be before Rally gives up a silent connection. */
const SILENCE_MS = 2000

/** The options of every connection: each wait has a deadline, even when the other end is silent. */
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

/**
 * SQL that sets up every session. Poolers such as PgBouncer refuse these settings as parameters of a connection. The time
 * zone is UTC because Prisma's adapter sends and reads times without their offset. Without JIT, because it would compile for
 * longer than any statement of Rally runs.
 *
 * @param idleInTransactionMs how long a transaction may be idle before Postgres ends it. Default: Postgres' own setting
 */
export function sessionSettings(statementTimeoutMs: number, idleInTransactionMs?: number): string {
  const settings = [
    `SET timezone TO 'UTC'`,
    'SET jit TO off',
    `SET statement_timeout TO ${Math.ceil(statementTimeoutMs)}`,
  ]
  if (idleInTransactionMs !== undefined) {
    settings.push(`SET idle_in_transaction_session_timeout TO ${Math.ceil(idleInTransactionMs)}`)
  }
  return settings.join('; ')
}

interface PoolOptions extends ConnectionOptions {
  /** Connections at most. */
  readonly size: number
  readonly idleInTransactionMs: number
  readonly observer?: StatementObserver | undefined
  readonly log: Log
}

/** How a pool is used. */
export interface PoolStats {
  /** Connections, those under way included, and how many of them are unused. */
  readonly size: number
  readonly idle: number
  /** The most connections that there may be. */
  readonly max: number
  /** Callers that wait for a connection. */
  readonly waiting: number
  /** How long callers have waited for theirs, ms. */
  readonly waits: Histogram
}

type Connected = Parameters<pg.Pool['connect']>[0]

/** Measures how long callers wait for a connection. */
class MeasuredPool extends pg.Pool {
  readonly waits = new Histogram(WAIT_MS)

  override connect(): Promise<pg.PoolClient>
  override connect(callback: Connected): void
  override connect(callback?: Connected): Promise<pg.PoolClient> | undefined {
    if (callback === undefined) {
      return new Promise((resolve, reject) => {
        this.connect((error, client) => (client ? resolve(client) : reject(error)))
      })
    }
    if (this.idleCount > this.waitingCount) {
      this.waits.add(0)
      super.connect(callback)
      return undefined
    }
    const since = performance.now()
    super.connect((error, client, release) => {
      this.waits.add(performance.now() - since)
      callback(error, client, release)
    })
    return undefined
  }
}

/** How long an unused connection is kept, and how long any is used, so that connections move after a failover. */
const IDLE_MS = 30_000
const MAX_LIFETIME_SECONDS = 600
/** How long the other end may take to close its side of our closed connections. */
const PARTING_MS = 1_000

/** Opens a pool of pipelined connections. It does not connect yet. `close` is as `Database.close`. */
export function createPool({ size, observer, log, ...options }: PoolOptions) {
  const settings = sessionSettings(options.statementTimeoutMs, options.idleInTransactionMs)
  const pool = new MeasuredPool({
    ...connectionConfig(options),
    max: size,
    pipeline: true,
    types,
    idleTimeoutMillis: IDLE_MS,
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
    onConnect: (client) => client.query(settings),
  })
  if (observer) observeStatements(pool, observer)
  // Without a listener a broken connection would end the process.
  const onError = (error: Error) => log.warn({ err: error }, 'database connection lost')
  const connections = new Set<pg.PoolClient>()
  pool.on('connect', (client) => {
    client.on('error', onError)
    connections.add(client)
    client.once('end', () => connections.delete(client))
  })
  pool.on('error', () => undefined)
  const stats: PoolStats = {
    get size() {
      return pool.totalCount
    },
    get idle() {
      return pool.idleCount
    },
    get waiting() {
      // The pool gives an idle connection out in the next turn of the event loop.
      return Math.max(0, pool.waitingCount - pool.idleCount)
    },
    max: size,
    waits: pool.waits,
  }
  return { pool, close, stats }

  /** `pool.end()` does not wait for idle connections: a Postgres that stops then would cut them. */
  async function close(): Promise<void> {
    await pool.end()
    const ends = [...connections].map((client) => new Promise<void>((resolve) => client.once('end', resolve)))
    await withDeadline(Promise.all(ends), PARTING_MS).catch(() => undefined)
  }
}

/** Runs statements outside of a transaction, each on a connection of its own. */
export function poolSql(pool: pg.Pool): Sql {
  const rows = <Row>(statement: Statement<Row>, values?: readonly unknown[]) =>
    new Promise<Row[]>((resolve, reject) => {
      pool.connect((refused, client, release) => {
        if (!client) {
          reject(refused)
          return
        }
        send(client, statement, values, (error, found) => {
          release(isBroken(error))
          if (error) reject(error)
          else resolve(found)
        })
      })
    })
  return { rows, first: async (statement, values) => (await rows(statement, values))[0] ?? null }
}

/** Called at the end of a query. */
export type Done<Result> = (error: Error | null | undefined, result: Result) => void

/**
 * Sends a statement. Given options, `pg` would copy them property by property, which costs more than the query. So name and
 * values are set here.
 */
export function send<Row>(
  client: pg.ClientBase,
  { name, text }: Statement<Row>,
  values: readonly unknown[] | undefined,
  done: Done<Row[]>,
): void {
  const callback: Done<pg.QueryResult<Row & pg.QueryResultRow> | undefined> = (error, result) =>
    done(error, result?.rows ?? [])
  client.query(Object.assign(new pg.Query(text), { name, values, callback }))
}

/** A prepared statement is missing, or a migration has changed its result. */
const STALE: ReadonlySet<string | undefined> = new Set(['26000', '0A000'])

/**
 * Whether a connection is unusable after this error. Errors that Postgres did not send count too: for a value that it
 * cannot send, `pg` does not prepare the statement but remembers it as prepared.
 */
export function isBroken(error: unknown): boolean {
  if (error === null || error === undefined) return false
  return !(error instanceof pg.DatabaseError && error.severity === 'ERROR' && !STALE.has(error.code))
}

const INT8 = 20

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === INT8 && format !== 'binary' ? safeInteger : pg.types.getTypeParser(oid, format),
}

function safeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is no safe integer: cast it to text in the statement`)
  return value
}
