import { RpcError } from './errors.ts'

/** What tells one write from another: a retry has the same three. */
export interface WriteKey {
  readonly userId: string
  readonly eid: string
  readonly type: string
  /** Its answer holds secrets, and is kept encrypted. */
  readonly isSecret?: boolean
}

export interface WriteResult {
  readonly answer: string
  /**
   * Whether what this call's `execute` did is committed. False when the answer is an earlier or a concurrent call's,
   * and when it is of a failure, of which nothing stays.
   */
  readonly executed: boolean
}

/** Writes that happen once however often they are asked for, on whichever node. */
export interface Once<Tx> {
  /**
   * The answer of a write that this process remembers, or makes at this moment; undefined when it knows of none. Asks
   * nobody else.
   *
   * @throws RpcError CONFLICT when the key's `eid` was used for another `type`; a promise rejects as its `run` does
   */
  recall(key: WriteKey): string | Promise<string> | undefined
  /**
   * Executes in one transaction with the keeping of the answer, so that both happen or neither. A concurrent call with
   * the same key, also on another node, waits and gets the same answer.
   *
   * `execute` has to do all it does by its transaction, as it runs again when that loses against another. When it
   * throws, nothing of it stays; if `answerOf` makes an answer of the error, that one is kept and answered, else a retry
   * executes again.
   *
   * @throws RpcError CONFLICT when the key's `eid` was used for another `type`
   */
  run(
    key: WriteKey,
    execute: (transaction: Tx) => Promise<string>,
    answerOf?: (error: unknown) => string | undefined,
  ): Promise<WriteResult>
}

const MAX_ANSWERS = 64
const KEEP_MS = 10 * 60_000

interface Known<Answer> {
  readonly type: string
  readonly at: number
  readonly answer: Promise<Answer>
}

/**
 * The first answers of the writes of a socket without a user: the last 64 of them, for ten minutes. What those of a
 * user have in the database.
 */
export class AnonymousAnswers<Answer> {
  readonly #known = new Map<string, Known<Answer>>()

  /**
   * The answer that `eid` had, or else that of `execute`. One that fails is kept too, if `isDecided` says so.
   *
   * @throws RpcError CONFLICT when the `eid` was used for another `type`
   */
  run(
    { eid, type }: { readonly eid: string; readonly type: string },
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
