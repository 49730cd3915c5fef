import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import type { Prisma } from './generated/client.ts'
import { type Done, isBroken, send } from './pool.ts'
import type { PrismaLender } from './prisma-in-transaction.ts'
import { isUnavailable } from './retry.ts'
import { type Sql, type Statement, statement } from './sql.ts'

/** An open transaction. */
export interface Transaction {
  readonly sql: Sql
  /** Prisma on the same connection. The first use opens it, so it costs nothing where it is not used. */
  readonly db: Prisma.TransactionClient
}

/** The transaction took too long and was rolled back. The code is what Postgres uses for the same. */
export class TransactionTimeout extends Error {
  override readonly name = 'TransactionTimeout'
  readonly code = '25P04'
}

/** What is done when the connection breaks before COMMIT is answered. */
export interface DoubtOptions {
  /** For so long the database is asked whether it happened. Default 5000. */
  readonly doubtMs?: number
  /** Called when a second has not been enough. */
  readonly onDoubt?: () => void
}

const DOUBT_MS = 5_000
const DOUBTFUL_MS = 1_000

/** What transactions run on. */
interface TransactionResources {
  readonly pool: pg.Pool
  readonly lender: PrismaLender
  /** Asks for the outcome of a commit that was not answered. */
  readonly outcomes: Sql
  /** A transaction that takes longer is rolled back and its connection returned, whatever its work does. */
  readonly timeoutMs: number
  /** Aborts when the database is closed: nobody waits for an outcome any more. */
  readonly closing: AbortSignal
}

/**
 * See `Database.transaction`. A statement that `work` started without waiting for it belongs to the transaction: when it
 * fails, nothing is committed.
 *
 * @throws what `work` threw; TransactionTimeout; what made Postgres roll back
 */
export async function runTransaction<T>(
  { pool, lender, outcomes, timeoutMs, closing }: TransactionResources,
  work: (transaction: Transaction) => Promise<T>,
  { doubtMs = DOUBT_MS, onDoubt }: DoubtOptions,
): Promise<T> {
  const connection = new TransactionConnection(await pool.connect(), timeoutMs)
  const prisma = lender.lend(connection)
  let result: T
  try {
    result = await work({
      sql: connection,
      get db() {
        return prisma.tx
      },
    })
    await prisma.end()
  } catch (error) {
    await prisma.end()
    await connection.rollback()
    throw error
  }
  try {
    await connection.commit()
  } catch (error) {
    const { xidInDoubt } = connection
    if (xidInDoubt === undefined) throw error
    const doubtful = onDoubt && setTimeout(onDoubt, DOUBTFUL_MS)
    const isCommitted = await wasCommitted(outcomes, xidInDoubt, doubtMs, closing).finally(() => clearTimeout(doubtful))
    if (!isCommitted) throw error
  }
  return result
}

/** A connection during one transaction. It returns to its pool by itself. */
class TransactionConnection implements Sql {
  readonly #client: pg.PoolClient
  readonly #timeoutMs: number
  readonly #timer: NodeJS.Timeout
  /** The first failure. Postgres accepts no statement after it. */
  #failure: Error | undefined
  /** Why nothing more can be sent. It becomes an error only when something is sent, because errors are expensive. */
  #over: 'ended' | 'late' | undefined
  #ended: Promise<pg.QueryResult> | undefined

  /** Set when the connection broke after COMMIT was sent: whether it happened is unknown. */
  xidInDoubt: string | undefined
  #xid: string | undefined
  #isCorked = false

  /** Sends BEGIN without waiting for its answer. */
  constructor(client: pg.PoolClient, timeoutMs: number) {
    this.#client = client
    this.#timeoutMs = timeoutMs
    this.#timer = setTimeout(() => void this.#end('ROLLBACK', 'late'), timeoutMs)
    void this.#ask((done) => client.query('BEGIN', done))
    const keepXid = (row: { xid: string } | null) => {
      this.#xid = row?.xid
    }
    this.first(TRANSACTION_ID).then(keepXid, () => undefined)
  }

  rows<Row>(statement: Statement<Row>, values?: readonly unknown[]): Promise<Row[]> {
    return this.#ask((done) => send(this.#client, statement, values, done))
  }

  first<Row>(statement: Statement<Row>, values?: readonly unknown[]): Promise<Row | null> {
    const first = this.rows(statement, values).then((rows) => rows[0] ?? null)
    first.catch(() => undefined)
    return first
  }

  query(config: pg.QueryConfig): Promise<pg.QueryResult> {
    return this.#ask((done) => this.#client.query(config, done))
  }

  #ask<Result>(start: (done: Done<Result>) => void): Promise<Result> {
    const answer = new Promise<Result>((resolve, reject) => {
      if (this.#over) throw this.#whyOver(this.#over)
      this.#cork()
      start((error, result) => {
        if (!error) return resolve(result)
        this.#failure ??= error
        reject(error)
      })
    })
    // A statement that nobody waits for fails the commit, not the process.
    answer.catch(() => undefined)
    return answer
  }

  #whyOver(over: 'ended' | 'late'): Error {
    if (over === 'ended') return new Error('the transaction is over')
    return new TransactionTimeout(`the transaction took longer than ${this.#timeoutMs} ms`)
  }

  /** @throws what failed in the transaction, which is then rolled back; a failure of the connection: see `xidInDoubt` */
  async commit(): Promise<void> {
    const commits = !this.#failure && !this.#over
    const { command } = await this.#end(commits ? 'COMMIT' : 'ROLLBACK', 'ended').catch((error: unknown) => {
      if (commits && isBroken(error)) this.xidInDoubt = this.#xid
      throw error
    })
    if (command === 'COMMIT') return
    throw this.#over === 'late' ? this.#whyOver('late') : (this.#failure ?? new Error('it was rolled back'))
  }

  /** Never rejects: when the connection breaks, Postgres rolls back by itself. */
  async rollback(): Promise<void> {
    await this.#end('ROLLBACK', 'ended').catch(() => undefined)
  }

  #end(command: 'COMMIT' | 'ROLLBACK', over: 'ended' | 'late'): Promise<pg.QueryResult> {
    if (this.#ended) return this.#ended
    clearTimeout(this.#timer)
    this.#ended = this.#ask((done) => this.#client.query(command, done))
    this.#over = over
    const release = () => this.#client.release(isBroken(this.#failure))
    this.#ended.then(release, release)
    return this.#ended
  }

  /** Sends everything of this turn as one packet. */
  #cork(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    const { stream } = this.#client.connection
    stream.cork()
    process.nextTick(() => {
      this.#isCorked = false
      stream.uncork()
    })
  }
}

/** The id of the transaction in which it runs. It is unique, and stays valid after the transaction. */
const TRANSACTION_ID = statement<{ xid: string }>('db.xid', 'SELECT pg_current_xact_id()::text AS xid')

/** See "Transaction ID and Snapshot Information Functions". Null for a transaction that is too long ago. */
const STATUS = statement<{ status: 'in progress' | 'committed' | 'aborted' | null }>(
  'db.outcome',
  'SELECT pg_xact_status($1::text::xid8) AS status',
)

/** Between two questions for the outcome of a commit. */
const MIN_PAUSE_MS = 20
const MAX_PAUSE_MS = 1_000

/**
 * Whether a transaction whose COMMIT was not answered has been committed. Asks until the database knows, also during an
 * outage. False too when `deadlineMs` have passed or `signal` aborts before that.
 */
async function wasCommitted(sql: Sql, xid: string, deadlineMs: number, signal: AbortSignal): Promise<boolean> {
  const until = performance.now() + deadlineMs
  for (let pauseMs = MIN_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      const status = (await sql.first(STATUS, [xid]))?.status
      if (status !== 'in progress') return status === 'committed'
    } catch (error) {
      // Another server has taken over, and it does not know the transaction.
      if (!isUnavailable(error)) return false
    }
    if (performance.now() + pauseMs > until || signal.aborted) return false
    await delay(pauseMs, undefined, { signal }).catch(() => undefined)
  }
}
