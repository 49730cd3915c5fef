import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { type ConnectionOptions, connectionConfig } from './connection.ts'
import { type Prisma, PrismaClient } from './generated/client.ts'
import type { DbLog } from './log.ts'

export type Db = PrismaClient
export type Tx = Prisma.TransactionClient

export interface DatabaseOptions extends ConnectionOptions {
  /** Connections at most. */
  readonly poolSize: number
  /** For an interactive transaction from its begin to its commit. */
  readonly transactionTimeoutMs: number
  readonly log: DbLog
}

/** The database as the rest of Rally has it. */
export interface Database {
  readonly db: Db
  /** Rejects when the database does not answer within `deadlineMs`. */
  ping(deadlineMs: number): Promise<void>
  /** Connections of the pool, and those who wait for one. */
  usage(): { readonly total: number; readonly idle: number; readonly waiting: number }
  /** Waits for running queries, then closes every connection; resolves when the other end has let go of them too. */
  close(): Promise<void>
}

/** How long an unused connection is kept, and how long any is used: a load balancer or a failover moves it on. */
const IDLE_MS = 30_000
const MAX_LIFETIME_SECONDS = 600
/** For the other end to let go of connections that we have closed: there is nothing in them any more. */
const PARTING_MS = 1_000

/**
 * Opens the pool. It does not connect yet: a database that is away makes queries fail in time, and they work again when
 * it is back.
 */
export async function createDatabase(options: DatabaseOptions): Promise<Database> {
  const { poolSize, connectTimeoutMs, transactionTimeoutMs, log } = options
  const pool = new pg.Pool({
    ...connectionConfig(options),
    max: poolSize,
    idleTimeoutMillis: IDLE_MS,
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
    idle_in_transaction_session_timeout: transactionTimeoutMs + connectTimeoutMs,
  })
  // A connection that breaks while nobody listens would end the process.
  const onError = (error: Error) => log.warn({ err: error }, 'database connection lost')
  const connections = new Set<pg.PoolClient>()
  pool.on('connect', (client) => {
    client.on('error', onError)
    connections.add(client)
    client.once('end', () => connections.delete(client))
  })
  pool.on('error', () => undefined)

  const db = new PrismaClient({
    adapter: new PrismaPg(pool, { disposeExternalPool: false }),
    transactionOptions: { maxWait: connectTimeoutMs + 1000, timeout: transactionTimeoutMs },
    errorFormat: 'minimal',
  })
  // Loads the query compiler now rather than with the first request.
  await db.$connect()

  let closing: Promise<void> | undefined
  return {
    db,
    usage: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    ping: (deadlineMs) => within(deadlineMs, pool.query('SELECT 1')),
    close() {
      closing ??= db.$disconnect().finally(end)
      return closing
    },
  }

  /** The pool's own end does not wait for connections that are idle: a Postgres that stops then would cut them. */
  async function end(): Promise<void> {
    await pool.end()
    const ends = [...connections].map((client) => new Promise<void>((resolve) => client.once('end', resolve)))
    await within(PARTING_MS, Promise.all(ends)).catch(() => undefined)
  }
}

async function within(deadlineMs: number, work: Promise<unknown>): Promise<void> {
  const { promise: late, cancel } = timeout(deadlineMs)
  try {
    await Promise.race([work, late])
  } finally {
    cancel()
  }
}

function timeout(ms: number): { promise: Promise<never>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the database did not answer within ${ms} ms`)), ms)
  })
  return { promise, cancel: () => clearTimeout(timer) }
}
