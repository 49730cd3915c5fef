import { PrismaPg } from '@prisma/adapter-pg'
import { withDeadline } from '../deadline.ts'
import type { Log } from '../logger.ts'
import { type Prisma, PrismaClient } from './generated/client.ts'
import type { StatementObserver } from './observed-statements.ts'
import { type ConnectionOptions, createPool, type PoolStats, poolSql } from './pool.ts'
import { createStatementNames, PrismaLender } from './prisma-in-transaction.ts'
import { type Sql, statement } from './sql.ts'
import { type DoubtOptions, runTransaction, type Transaction } from './transaction.ts'

export type Db = PrismaClient
export type Tx = Prisma.TransactionClient
export type { Transaction } from './transaction.ts'

export interface DatabaseOptions extends ConnectionOptions {
  /** Connections at most, besides the few reserved ones. */
  readonly poolSize: number
  /** For a transaction from its begin to its commit. */
  readonly transactionTimeoutMs: number
  /** Is told of every statement; absent, it costs nothing. */
  readonly observer?: StatementObserver | undefined
  readonly log: Log
}

/** The database, as the rest of Rally uses it. */
export interface Database {
  readonly db: Db
  readonly sql: Sql
  /** Has connections of its own, for what must not wait for a busy pool: leases, readiness, sign-in, session look-ups. */
  readonly reserved: Sql
  /**
   * Runs `work` in a transaction, and commits when `work` resolves. Statements that `work` did not wait for are sent with
   * the commit.
   *
   * When the connection breaks before the commit is answered, the database is asked for up to `doubtMs` whether it happened.
   * So a rejected transaction was not committed, except in a longer outage.
   *
   * @throws what `work` or the commit threw
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>, doubt?: DoubtOptions): Promise<T>
  /** Rejects when the database does not answer within `deadlineMs`. */
  ping(deadlineMs: number): Promise<void>
  /** The pool of `db`, `sql` and `transaction`, and that of `reserved`. */
  readonly pools: { readonly main: PoolStats; readonly reserved: PoolStats }
  /** Waits for running queries, closes every connection, and waits until Postgres has closed them too. */
  close(): Promise<void>
}

const RESERVED_CONNECTIONS = 4

const PING = statement('db.ping', 'SELECT 1')

/** Opens the pools without connecting. While the database is away queries fail in time; they work again when it is back. */
export async function createDatabase(options: DatabaseOptions): Promise<Database> {
  const { poolSize, connectTimeoutMs, transactionTimeoutMs } = options
  const idleInTransactionMs = transactionTimeoutMs + connectTimeoutMs
  const main = createPool({ ...options, size: poolSize, idleInTransactionMs })
  const small = createPool({ ...options, size: RESERVED_CONNECTIONS, idleInTransactionMs })
  const statementNameGenerator = createStatementNames()

  const db = new PrismaClient({
    adapter: new PrismaPg(main.pool, { disposeExternalPool: false, statementNameGenerator }),
    transactionOptions: { maxWait: connectTimeoutMs + 1000, timeout: transactionTimeoutMs },
    errorFormat: 'minimal',
  })
  const lender = new PrismaLender(statementNameGenerator, idleInTransactionMs)
  // Loads the query compilers before the first request.
  await Promise.all([db.$connect(), lender.connect()])

  const reserved = poolSql(small.pool)
  const stop = new AbortController()
  const timeoutMs = transactionTimeoutMs
  const resources = { pool: main.pool, lender, outcomes: reserved, timeoutMs, closing: stop.signal }
  let closing: Promise<void> | undefined
  return {
    db,
    sql: poolSql(main.pool),
    reserved,
    transaction: (work, doubt = {}) => runTransaction(resources, work, doubt),
    pools: { main: main.stats, reserved: small.stats },
    ping: async (deadlineMs) => void (await withDeadline(reserved.rows(PING), deadlineMs)),
    close() {
      closing ??= end()
      return closing
    },
  }

  async function end(): Promise<void> {
    stop.abort()
    try {
      await Promise.all([db.$disconnect(), lender.close()])
    } finally {
      await Promise.all([main.close(), small.close()])
    }
  }
}
