import type { Database, Transaction } from './client.ts'
import { Overloaded, withRetry } from './retry.ts'
import { type Sql, statement } from './sql.ts'

/** How long an answer is kept. A retry that comes later executes again. */
export const KEEP_MINUTES = 10

const SWEEP_BATCH = 1000
const MAX_SWEEP_BATCHES = 100

/** Tells one write from another: a retry has the same three. */
export interface OnceKey {
  readonly userId: string
  readonly eid: string
  readonly type: string
}

export interface OnceResult {
  readonly answer: string
  /**
   * Whether what this call's `execute` did is committed. False when the answer is an earlier or a concurrent call's,
   * and when it is of a failure, of which nothing stays.
   */
  readonly executed: boolean
}

/** Writes that happen once however often they are asked for, on whichever node. */
export interface Once {
  /**
   * Executes in one transaction with the keeping of the answer, so that both happen or neither. A concurrent call with
   * the same key, also on another node, waits and gets the same answer.
   *
   * `execute` has to do all it does by its transaction, as it runs again when its transaction loses against another. When it
   * throws, nothing of it stays; if `answerOf` makes an answer of the error, that one is kept and answered.
   *
   * @throws OnceConflict when the key's `eid` was used for another `type`
   * @throws Overloaded when too many writes are under way in this process
   */
  run(
    key: OnceKey,
    execute: (transaction: Transaction) => Promise<string>,
    answerOf?: (error: unknown) => string | undefined,
  ): Promise<OnceResult>
  /** Deletes answers past their time, a batch at a time, and says how many. */
  sweep(): Promise<number>
}

/** The `eid` was used before, for something else. */
export class OnceConflict extends Error {
  override readonly name = 'OnceConflict'
}

interface Running {
  readonly type: string
  readonly result: Promise<OnceResult>
}

/**
 * Inserts the row unless a living one is there. Waits for a concurrent transaction that has inserted it.
 * Values: user, eid, type, answer.
 */
const CLAIM = statement<{ claimed: true }>(
  'writes.claim',
  `INSERT INTO writes AS w (user_id, eid, type, answer, created_at) VALUES ($1, $2, $3, $4, now())
   ON CONFLICT (user_id, eid) DO UPDATE SET type = EXCLUDED.type, answer = EXCLUDED.answer, created_at = now()
     WHERE w.created_at < now() - interval '${KEEP_MINUTES} minutes'
   RETURNING true AS claimed`,
)

const ANSWER = statement('writes.answer', 'UPDATE writes SET answer = $3 WHERE user_id = $1 AND eid = $2')

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

export function createOnce(database: Writing, { maxRunning = 4096 }: { readonly maxRunning?: number } = {}): Once {
  const running = new Map<string, Running>()

  return {
    async run(key, execute, answerOf = () => undefined) {
      const id = JSON.stringify([key.userId, key.eid])
      const first = running.get(id)
      if (first) {
        if (first.type !== key.type) throw conflict(key, first.type)
        return { answer: (await first.result).answer, executed: false }
      }
      if (running.size >= maxRunning) throw new Overloaded(`${maxRunning} writes are under way`)
      const result = runOnce(database, key, execute, answerOf).finally(() => running.delete(id))
      running.set(id, { type: key.type, result })
      return result
    },

    async sweep() {
      let swept = 0
      for (let batch = 0; batch < MAX_SWEEP_BATCHES; batch++) {
        const deleted = (await database.sql.first(SWEEP))?.swept ?? 0
        swept += deleted
        if (deleted < SWEEP_BATCH) break
      }
      return swept
    },
  }
}

async function runOnce(
  database: Writing,
  key: OnceKey,
  execute: (transaction: Transaction) => Promise<string>,
  answerOf: (error: unknown) => string | undefined,
): Promise<OnceResult> {
  try {
    return await claimAnd(database, key, async (transaction) => {
      const answer = await execute(transaction)
      // Shares the commit's round trip.
      void transaction.sql.rows(ANSWER, [key.userId, key.eid, answer])
      return answer
    })
  } catch (error) {
    const answer = error instanceof OnceConflict ? undefined : answerOf(error)
    if (answer === undefined) throw error
    return keepFailure(database.sql, key, answer)
  }
}

/** The claim makes a repetition harmless even where the first commit's outcome is not known. */
function claimAnd(
  database: Writing,
  key: OnceKey,
  execute: (transaction: Transaction) => Promise<string>,
): Promise<OnceResult> {
  let ours: string | undefined
  return withRetry(
    () =>
      database.transaction(async (transaction) => {
        if (await claim(transaction.sql, key, null)) {
          ours = await execute(transaction)
          return { answer: ours, executed: true }
        }
        const answer = await keptAnswer(transaction.sql, key)
        // Kept by an attempt of ours whose commit succeeded, though its connection broke before we heard of it.
        return { answer, executed: answer === ours }
      }),
    { idempotent: true },
  )
}

/** Keeps an error's answer, unless a concurrent call on another node has made one since ours was rolled back. */
function keepFailure(sql: Sql, key: OnceKey, answer: string): Promise<OnceResult> {
  return withRetry(
    async () => ({ answer: (await claim(sql, key, answer)) ? answer : await keptAnswer(sql, key), executed: false }),
    { idempotent: true },
  )
}

async function claim(sql: Sql, { userId, eid, type }: OnceKey, answer: string | null): Promise<boolean> {
  return (await sql.first(CLAIM, [userId, eid, type, answer])) !== null
}

async function keptAnswer(sql: Sql, key: OnceKey): Promise<string> {
  const row = await sql.first(KEPT, [key.userId, key.eid])
  if (row && row.type !== key.type) throw conflict(key, row.type)
  // Row and answer are committed together, so only a sweep at this very moment could have taken it.
  if (row?.answer == null) throw new Error(`the answer of write ${key.eid} is gone`)
  return row.answer
}

function conflict({ eid, type }: OnceKey, usedFor: string): OnceConflict {
  return new OnceConflict(`eid ${eid} of this ${type} was used for ${usedFor} before`)
}
