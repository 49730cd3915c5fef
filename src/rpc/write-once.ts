import { RpcError } from './errors.ts'

/** What identifies a write: a retry has the same user, `eid` and type. */
export interface WriteKey {
  readonly userId: string
  readonly eid: string
  readonly type: string
  /** Its answer holds secrets and is kept encrypted. */
  readonly isSecret?: boolean
}

export interface WriteResult {
  readonly answer: string
  /** Whether this call's `execute` was committed: false if it failed, or if another call gave the answer. */
  readonly executed: boolean
}

/** Executes each write once, however often and on whichever node it is asked for. */
export interface Once<Tx> {
  /**
   * The answer of a write that this process remembers or executes right now; undefined for a write that it does not
   * know. Does not ask the database.
   * @throws RpcError CONFLICT when the `eid` was used for another `type`; an error of the database while the outcome of the
   * write is in doubt; a promise rejects as its `run` does
   */
  recall(key: WriteKey): string | Promise<string> | undefined
  /**
   * Executes a write and keeps its answer in one transaction. A concurrent call with the same key, also on another node,
   * waits and gets the same answer.
   *
   * `execute` must do everything by its transaction: after a conflict it runs again. When it throws, the transaction is
   * rolled back; if `answerOf` makes an answer of the error, that answer is kept and given, else a retry executes again.
   * `onDoubt` is called when it takes long to find out whether the transaction was committed.
   * @throws RpcError CONFLICT when the `eid` was used for another `type`
   */
  run(
    key: WriteKey,
    execute: (transaction: Tx) => Promise<string>,
    answerOf?: (error: unknown) => string | undefined,
    onDoubt?: () => void,
  ): Promise<WriteResult>
}

/** Of one socket. */
const MAX_ANSWERS = 64
const KEEP_MS = 10 * 60_000

/** Keeps the answers of the writes of one socket without a user in memory, as `Once` does those of users in the database. */
export class AnonymousAnswers<Answer> {
  readonly #known = new Map<string, { type: string; at: number; answer: Promise<Answer> }>()

  /** The kept answer of `eid`, else that of `execute`. Errors that are decided are kept. @throws RpcError CONFLICT */
  run(
    { eid, type }: Pick<WriteKey, 'eid' | 'type'>,
    execute: () => Promise<Answer>,
    isDecided: (error: unknown) => boolean,
  ): Promise<Answer> {
    const now = performance.now()
    const known = this.#known.get(eid)
    if (known && now - known.at < KEEP_MS) {
      if (known.type !== type) throw new RpcError('CONFLICT', 'This eid was used for another request')
      return known.answer
    }
    const answer = execute()
    this.#known.delete(eid)
    this.#known.set(eid, { type, at: now, answer })
    if (this.#known.size > MAX_ANSWERS) this.#known.delete(this.#known.keys().next().value ?? eid)
    answer.catch((error: unknown) => {
      if (!isDecided(error) && this.#known.get(eid)?.answer === answer) this.#known.delete(eid)
    })
    return answer
  }
}
