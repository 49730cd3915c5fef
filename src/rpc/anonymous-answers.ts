import { RpcError } from './errors.ts'

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
