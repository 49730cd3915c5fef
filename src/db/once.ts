import type { Db, Tx } from './client.ts'
import { withRetry } from './retry.ts'

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
   * `execute` has to do all it does by `tx`, as it runs again when its transaction loses against another. When it
   * throws, nothing of it stays; if `answerOf` makes an answer of the error, that one is kept and answered.
   *
   * @throws OnceConflict when the key's `eid` was used for another `type`
   * @throws OnceOverloaded when too many writes are under way in this process
   */
  run(
    key: OnceKey,
    execute: (tx: Tx) => Promise<string>,
    answerOf?: (error: unknown) => string | undefined,
  ): Promise<OnceResult>
  /** Deletes answers past their time, a batch at a time, and says how many. */
  sweep(): Promise<number>
}

/** The `eid` was used before, for something else. */
export class OnceConflict extends Error {
  override readonly name = 'OnceConflict'
}

/** More writes are under way than this process takes on. */
export class OnceOverloaded extends Error {
  override readonly name = 'OnceOverloaded'
}

interface Running {
  readonly type: string
  readonly result: Promise<OnceResult>
}

export function createOnce(db: Db, { maxRunning = 4096 }: { readonly maxRunning?: number } = {}): Once {
  const running = new Map<string, Running>()

  return {
    async run(key, execute, answerOf = () => undefined) {
      const id = JSON.stringify([key.userId, key.eid])
      const first = running.get(id)
      if (first) {
        if (first.type !== key.type) throw conflict(key, first.type)
        return { answer: (await first.result).answer, executed: false }
      }
      if (running.size >= maxRunning) throw new OnceOverloaded(`${maxRunning} writes are under way`)
      const result = runOnce(db, key, execute, answerOf).finally(() => running.delete(id))
      running.set(id, { type: key.type, result })
      return result
    },

    async sweep() {
      let swept = 0
      for (let batch = 0; batch < MAX_SWEEP_BATCHES; batch++) {
        const deleted = await db.$executeRaw`
          DELETE FROM writes WHERE (user_id, eid) IN (
            SELECT user_id, eid FROM writes WHERE created_at < now() - make_interval(mins => ${KEEP_MINUTES}::int)
            LIMIT ${SWEEP_BATCH}::int FOR UPDATE SKIP LOCKED)`
        swept += deleted
        if (deleted < SWEEP_BATCH) break
      }
      return swept
    },
  }
}

async function runOnce(
  db: Db,
  key: OnceKey,
  execute: (tx: Tx) => Promise<string>,
  answerOf: (error: unknown) => string | undefined,
): Promise<OnceResult> {
  try {
    return await claimAnd(db, key, async (tx) => {
      const answer = await execute(tx)
      await tx.$executeRaw`UPDATE writes SET answer = ${answer} WHERE user_id = ${key.userId} AND eid = ${key.eid}`
      return answer
    })
  } catch (error) {
    const answer = error instanceof OnceConflict ? undefined : answerOf(error)
    if (answer === undefined) throw error
    return keepFailure(db, key, answer)
  }
}

/** The claim makes a repetition harmless even where the first commit's outcome is not known. */
function claimAnd(db: Db, key: OnceKey, execute: (tx: Tx) => Promise<string>): Promise<OnceResult> {
  let ours: string | undefined
  return withRetry(
    () =>
      db.$transaction(async (tx) => {
        if (await claim(tx, key, null)) {
          ours = await execute(tx)
          return { answer: ours, executed: true }
        }
        const answer = await keptAnswer(tx, key)
        // Kept by an attempt of ours whose commit succeeded, though its connection broke before we heard of it.
        return { answer, executed: answer === ours }
      }),
    { idempotent: true },
  )
}

/** Keeps an error's answer, unless a concurrent call on another node has made one since ours was rolled back. */
function keepFailure(db: Db, key: OnceKey, answer: string): Promise<OnceResult> {
  return withRetry(
    async () => ({ answer: (await claim(db, key, answer)) ? answer : await keptAnswer(db, key), executed: false }),
    { idempotent: true },
  )
}

/** Inserts the row unless a living one is there. Waits for a concurrent transaction that has inserted it. */
async function claim(on: Db | Tx, { userId, eid, type }: OnceKey, answer: string | null): Promise<boolean> {
  const rows = await on.$executeRaw`
    INSERT INTO writes AS w (user_id, eid, type, answer, created_at)
    VALUES (${userId}, ${eid}, ${type}, ${answer}, now())
    ON CONFLICT (user_id, eid) DO UPDATE SET type = EXCLUDED.type, answer = EXCLUDED.answer, created_at = now()
      WHERE w.created_at < now() - make_interval(mins => ${KEEP_MINUTES}::int)`
  return rows === 1
}

async function keptAnswer(on: Db | Tx, key: OnceKey): Promise<string> {
  const row = await on.write.findUnique({
    where: { userId_eid: { userId: key.userId, eid: key.eid } },
    select: { type: true, answer: true },
  })
  if (row && row.type !== key.type) throw conflict(key, row.type)
  // Row and answer are committed together, so only a sweep at this very moment could have taken it.
  if (row?.answer == null) throw new Error(`the answer of write ${key.eid} is gone`)
  return row.answer
}

function conflict({ eid, type }: OnceKey, usedFor: string): OnceConflict {
  return new OnceConflict(`eid ${eid} of this ${type} was used for ${usedFor} before`)
}
