import type { Once, WriteKey, WriteResult } from '../rpc/write-once.ts'
import type { Database, Transaction } from './database.ts'
import { Overloaded, withRetry } from './retry.ts'
import { type Sql, statement } from './sql.ts'

/** How long an answer is kept. A later retry executes again. */
export const KEEP_MINUTES = 10
const KEEP_MS = KEEP_MINUTES * 60_000
/** Old answers are deleted so often. */
export const SWEEP_MS = 60_000

const SWEEP_BATCH = 1000
const MAX_SWEEP_BATCHES = 100

/** Keeps answers in the table `writes`, and the latest of them in memory too. */
export interface StoredOnce extends Once<Transaction> {
  /** Deletes old answers in batches, and answers how many it deleted from the table. */
  sweep(): Promise<number>
}

export interface OnceOptions extends RecentAnswersOptions {
  /** Writes at once; more are refused with Overloaded. Default 4096. */
  readonly maxRunning?: number
}

/** The outcome of a write under this key is not known yet. The code is what Postgres uses for the same. */
class Undecided extends Error {
  override readonly name = 'Undecided'
  readonly code = '08007'
}

/** A write under way. */
interface Running {
  readonly type: string
  readonly text: Promise<string>
  isInDoubt: boolean
}

/** The `eid` was used before for another type. */
export class OnceConflict extends Error {
  override readonly name = 'OnceConflict'
}

/** The user was deleted since the socket opened. */
export class UserGone extends Error {
  override readonly name = 'UserGone'
}

/** What Postgres answers to a row that refers to none. */
const FOREIGN_KEY_VIOLATION = '23503'

/**
 * Inserts the row, or replaces an old one. Waits for a concurrent transaction that has inserted it.
 * Values: user, eid, type, answer.
 */
export const CLAIM = statement<{ claimed: true }>(
  'writes.claim',
  `INSERT INTO writes AS w (user_id, eid, type, answer, created_at) VALUES ($1, $2, $3, $4, now())
   ON CONFLICT (user_id, eid) DO UPDATE SET type = EXCLUDED.type, answer = EXCLUDED.answer, created_at = now()
     WHERE w.created_at < now() - interval '${KEEP_MINUTES} minutes'
   RETURNING true AS claimed`,
)

export const ANSWER = statement('writes.answer', 'UPDATE writes SET answer = $3 WHERE user_id = $1 AND eid = $2')

const KEPT = statement<{ type: string; answer: string | null }>(
  'writes.kept',
  'SELECT type, answer FROM writes WHERE user_id = $1 AND eid = $2',
)

const SWEEP = statement<{ swept: number }>(
  'writes.sweep',
  `WITH gone AS (
     DELETE FROM writes WHERE (user_id, eid) IN (
       SELECT user_id, eid FROM writes WHERE created_at < now() - interval '${KEEP_MINUTES} minutes'
       LIMIT ${SWEEP_BATCH} FOR UPDATE SKIP LOCKED)
     RETURNING 1)
   SELECT count(*) AS swept FROM gone`,
)

type Writing = Pick<Database, 'sql' | 'transaction'>

export function createOnce(database: Writing, { maxRunning = 4096, ...recentOptions }: OnceOptions = {}): StoredOnce {
  const running = new Map<string, Running>()
  const recent = new RecentAnswers(recentOptions)

  function recall(key: WriteKey, id: string): string | Promise<string> | undefined {
    const known = running.get(id) ?? recent.get(id)
    if (!known) return undefined
    if (known.type !== key.type) throw conflict(key, known.type)
    if ('isInDoubt' in known && known.isInDoubt)
      throw new Undecided(`the outcome of ${key.type} ${key.eid} is not known yet`)
    return known.text
  }

  return {
    recall: (key) => recall(key, idOf(key)),

    async run(key, execute, answerOf, onDoubt) {
      const id = idOf(key)
      const known = recall(key, id)
      if (known !== undefined) return { answer: await known, executed: false }
      if (running.size >= maxRunning) throw new Overloaded(`${maxRunning} writes are under way`)
      const result = runOnce(database, key, execute, answerOf, () => {
        entry.isInDoubt = true
        onDoubt?.()
      })
      const text = result.then(({ answer }) => answer)
      const entry: Running = { type: key.type, text, isInDoubt: false }
      running.set(id, entry)
      try {
        recent.set(id, key.type, await text)
      } finally {
        running.delete(id)
      }
      return result
    },

    async sweep() {
      recent.sweep()
      let swept = 0
      for (let batch = 1; batch <= MAX_SWEEP_BATCHES; batch++) {
        swept += (await database.sql.first(SWEEP))?.swept ?? 0
        if (swept < batch * SWEEP_BATCH) break
      }
      return swept
    },
  }
}

async function runOnce(
  database: Writing,
  ...[key, execute, answerOf, onDoubt = () => undefined]: Parameters<Once<Transaction>['run']>
): Promise<WriteResult> {
  try {
    // The claim makes repetition harmless. The outcome of an unanswered commit is asked for as long as answers are kept:
    // this call has to cause the effects of the write.
    const attempt = async (transaction: Transaction) => {
      const { sql } = transaction
      if (!(await claim(sql, key, null))) return { answer: await keptAnswer(sql, key), executed: false }
      const answer = await execute(transaction)
      // Sent with the commit.
      void sql.rows(ANSWER, [key.userId, key.eid, answer])
      return { answer, executed: true }
    }
    return await withRetry(() => database.transaction(attempt, { doubtMs: KEEP_MS, onDoubt }), { idempotent: true })
  } catch (error) {
    const answer = error instanceof OnceConflict ? undefined : answerOf?.(error)
    if (answer === undefined) throw error
    // A call on another node may have stored an answer since ours was rolled back.
    const { sql } = database
    const keep = async () => ((await claim(sql, key, answer)) ? answer : keptAnswer(sql, key))
    return { answer: await withRetry(keep, { idempotent: true }), executed: false }
  }
}

async function claim(sql: Sql, { userId, eid, type }: WriteKey, answer: string | null): Promise<boolean> {
  const claimed = await sql.first(CLAIM, [userId, eid, type, answer]).catch((error: unknown) => {
    const isGone = error instanceof Error && 'code' in error && error.code === FOREIGN_KEY_VIOLATION
    throw isGone ? new UserGone(`the user of ${type} ${eid} is gone`, { cause: error }) : error
  })
  return claimed !== null
}

async function keptAnswer(sql: Sql, key: WriteKey): Promise<string> {
  const row = await sql.first(KEPT, [key.userId, key.eid])
  if (row && row.type !== key.type) throw conflict(key, row.type)
  // Row and answer are committed together, so only a sweep at this moment could have deleted it.
  if (row?.answer == null) throw new Error(`the answer of write ${key.eid} is gone`)
  return row.answer
}

/** Unique, because ids of users have one length. */
const idOf = ({ userId, eid }: WriteKey): string => `${userId} ${eid}`

function conflict({ eid, type }: WriteKey, usedFor: string): OnceConflict {
  return new OnceConflict(`eid ${eid} of this ${type} was used for ${usedFor} before`)
}

interface RecentAnswersOptions {
  /** Default 20,000. */
  readonly maxCount?: number
  /** Of all answers with their keys. Default 16 MiB. */
  readonly maxBytes?: number
  /** Monotonic, in ms. */
  readonly now?: () => number
}

interface Answer {
  readonly type: string
  readonly text: string
  readonly bytes: number
  readonly at: number
}

/** The most that a character of a string takes, and about what a map's entry takes with its object and strings' headers. */
const CHARACTER_BYTES = 2
const ENTRY_BYTES = 200

/** The latest answers of this process, within bounds, for as long as answers are kept. */
class RecentAnswers {
  readonly #options: Required<RecentAnswersOptions>
  // Oldest first.
  readonly #answers = new Map<string, Answer>()
  #bytes = 0

  constructor(options: RecentAnswersOptions) {
    this.#options = { maxCount: 20_000, maxBytes: 16 * 1024 * 1024, now: () => performance.now(), ...options }
  }

  get(id: string): Answer | undefined {
    const answer = this.#answers.get(id)
    if (!answer || this.#options.now() - answer.at < KEEP_MS) return answer
    this.#delete(id, answer)
    return undefined
  }

  set(id: string, type: string, text: string): void {
    const before = this.#answers.get(id)
    if (before) this.#delete(id, before)
    const { maxCount, maxBytes } = this.#options
    const now = this.#options.now()
    const bytes = (id.length + text.length) * CHARACTER_BYTES + ENTRY_BYTES
    this.#answers.set(id, { type, text, bytes, at: now })
    this.#bytes += bytes
    for (const [oldest, answer] of this.#answers) {
      if (this.#answers.size <= maxCount && this.#bytes <= maxBytes) break
      this.#delete(oldest, answer)
    }
  }

  sweep(): void {
    const now = this.#options.now()
    for (const [oldest, answer] of this.#answers) {
      if (now - answer.at < KEEP_MS) return
      this.#delete(oldest, answer)
    }
  }

  #delete(id: string, { bytes }: Answer): void {
    this.#answers.delete(id)
    this.#bytes -= bytes
  }
}
