import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import type { Prisma } from './generated/client.ts'
import { allOf, firstOf, isBroken, type Pick, send } from './pool.ts'
import type { PrismaLender } from './prisma-in-transaction.ts'
import { isUnavailable } from './retry.ts'
import { type Sql, type Statement, statement } from './sql.ts'

/** What reads and writes go through while a transaction is open. */
export interface Transaction {
  readonly sql: Sql
  /** Prisma on the same connection. Opened by the first use, so it costs nothing where it is not used. */
  readonly db: Prisma.TransactionClient
}

/** The transaction was rolled back as it took too long. The code is that of Postgres for the same. */
export class TransactionTimeout extends Error {
  override readonly name = 'TransactionTimeout'
  readonly code = '25P04'
}

/** What transactions run on. */
export interface TransactionResources {
  readonly pool: pg.Pool
  readonly lender: PrismaLender
  /** Asked for the outcome of a commit that was not answered. */
  readonly outcomes: Sql
  /** Rolled back when it takes longer, and its connection given back, whatever its work does. */
  readonly timeoutMs: number
  /** Aborts when the database is closed: no outcome is waited for any more. */
  readonly closing: AbortSignal
}

/**
 * Runs `work` in a transaction, and commits it when `work` resolves. A statement that `work` has started and not waited
 * for belongs to the transaction: it shares the commit's round trip, and when it fails nothing is committed.
 *
 * When the connection breaks before the commit is answered, the database is asked for up to `doubtMs` whether it
 * happened.
 *
 * @throws what `work` threw; TransactionTimeout; what made Postgres roll back instead of commit
 */
export async function runTransaction<T>(
  { pool, lender, outcomes, timeoutMs, closing }: TransactionResources,
  work: (transaction: Transaction) => Promise<T>,
  doubtMs: number,
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
    if (xidInDoubt === undefined || !(await wasCommitted(outcomes, xidInDoubt, doubtMs, closing))) throw error
  }
  return result
}

/** Told how a query ended; `read` gives what it answered. */
type Settle<Result> = (error: Error | null | undefined, read: () => Result) => void

/** A connection for the time of one transaction. It goes back to its pool by itself. */
class TransactionConnection implements Sql {
  readonly #client: pg.PoolClient
  readonly #timeoutMs: number
  readonly #timer: NodeJS.Timeout
  /** The first that failed: Postgres accepts nothing more after it. */
  #failure: Error | undefined
  /** Why nothing more can be sent. Made an error of when something is, as errors are dear. */
  #over: 'ended' | 'late' | undefined
  #ended: Promise<pg.QueryResult> | undefined

  /** Set when COMMIT was sent and the connection broke: whether it happened is not known. */
  xidInDoubt: string | undefined
  #xid: string | undefined
  #isCorked = false

  /** Sends BEGIN, which the first statement does not wait for. */
  constructor(client: pg.PoolClient, timeoutMs: number) {
    this.#client = client
    this.#timeoutMs = timeoutMs
    this.#timer = setTimeout(() => void this.#end('ROLLBACK', 'late'), timeoutMs)
    void this.#command('BEGIN')
    this.first(TRANSACTION_ID).then(
      (row) => {
        this.#xid = row?.xid
      },
      () => undefined,
    )
  }

  rows<Row>(statement: Statement<Row>, values?: readonly unknown[]): Promise<Row[]> {
    return this.#run(statement, values, allOf)
  }

  first<Row>(statement: Statement<Row>, values?: readonly unknown[]): Promise<Row | null> {
    return this.#run(statement, values, firstOf)
  }

  #run<Row, Result>(
    statement: Statement<Row>,
    values: readonly unknown[] | undefined,
    pick: Pick<Row, Result>,
  ): Promise<Result> {
    return this.#ask<Result>((settle) =>
      send(this.#client, statement, values, (error, rows) => settle(error, () => pick(rows))),
    )
  }

  /** Runs one query of the transaction. */
  query(config: pg.QueryConfig): Promise<pg.QueryResult> {
    return this.#ask((settle) => this.#client.query(config, (error, result) => settle(error, () => result)))
  }

  #ask<Result>(start: (settle: Settle<Result>) => void): Promise<Result> {
    const answer = this.#over ? Promise.reject(this.#whyOver(this.#over)) : this.#send(start)
    // One that nobody waits for fails the commit, not the process.
    answer.catch(() => undefined)
    return answer
  }

  #command(text: 'BEGIN' | 'COMMIT' | 'ROLLBACK'): Promise<pg.QueryResult> {
    const answer = this.#send<pg.QueryResult>((settle) =>
      this.#client.query(text, (error, result) => settle(error, () => result)),
    )
    answer.catch(() => undefined)
    return answer
  }

  #whyOver(over: 'ended' | 'late'): Error {
    if (over === 'ended') return new Error('the transaction is over')
    return new TransactionTimeout(`the transaction took longer than ${this.#timeoutMs} ms`)
  }

  /**
   * @throws what failed in the transaction, which is rolled back then; a failure of the connection, after which it is
   * not known whether the commit happened
   */
  async commit(): Promise<void> {
    const commits = !this.#failure && !this.#over
    const { command } = await this.#end(commits ? 'COMMIT' : 'ROLLBACK', 'ended').catch((error: unknown) => {
      if (commits && isBroken(error)) this.xidInDoubt = this.#xid
      throw error
    })
    if (command === 'COMMIT') return
    throw this.#over === 'late' ? this.#whyOver('late') : (this.#failure ?? new Error('it was rolled back'))
  }

  /** Never rejects: when the connection is broken, Postgres rolls back by itself. */
  async rollback(): Promise<void> {
    await this.#end('ROLLBACK', 'ended').catch(() => undefined)
  }

  #end(command: 'COMMIT' | 'ROLLBACK', over: 'ended' | 'late'): Promise<pg.QueryResult> {
    if (this.#ended) return this.#ended
    clearTimeout(this.#timer)
    this.#over = over
    this.#ended = this.#command(command)
    const release = () => this.#client.release(isBroken(this.#failure))
    this.#ended.then(release, release)
    return this.#ended
  }

  #send<Result>(start: (settle: Settle<Result>) => void): Promise<Result> {
    this.#cork()
    return new Promise((resolve, reject) => {
      start((error, read) => {
        if (error) {
          this.#failure ??= error
          reject(error)
        } else resolve(read())
      })
    })
  }

  /** Lets all that is sent in this turn leave as one packet. */
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

/** The id of the transaction that this runs in. It tells the transaction from every other, also after it is over. */
const TRANSACTION_ID = statement<{ xid: string }>('db.xid', 'SELECT pg_current_xact_id()::text AS xid')

/** `pg_xact_status`, see "Transaction ID and Snapshot Information Functions"; null for one that is too long ago. */
const STATUS = statement<{ status: 'in progress' | 'committed' | 'aborted' | null }>(
  'db.outcome',
  'SELECT pg_xact_status($1::text::xid8) AS status',
)

const MIN_PAUSE_MS = 20
const MAX_PAUSE_MS = 1_000

/**
 * Whether a transaction whose COMMIT was not answered has been committed. Asks until the database knows, through an
 * outage too; false as well when `deadlineMs` are over, or `signal` aborts, before that.
 */
async function wasCommitted(sql: Sql, xid: string, deadlineMs: number, signal: AbortSignal): Promise<boolean> {
  const until = performance.now() + deadlineMs
  for (let pauseMs = MIN_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      const status = (await sql.first(STATUS, [xid]))?.status
      if (status !== 'in progress') return status === 'committed'
    } catch (error) {
      // Another server has taken its place, which does not know the transaction.
      if (!isUnavailable(error)) return false
    }
    if (performance.now() + pauseMs > until || signal.aborted) return false
    await delay(pauseMs, undefined, { signal }).catch(() => undefined)
  }
}
