import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestClient } from '../support/client.ts'

const READ_EVERY_MS = 200
const WRITE_EVERY_MS = 3_000
/** Longer than any deadline of the server. */
const NO_ANSWER_MS = 20_000

/** One answered call. Times are of the monotonic clock, ms. */
export interface Answer {
  readonly type: string
  readonly sentAt: number
  readonly ms: number
  readonly error: string | undefined
}

/** Reads and writes without pause, as a player's page does, and keeps what became of each call. */
export class Caller {
  readonly answers: Answer[] = []
  /** What each write was answered in the end, by its `eid`. */
  readonly written = new Map<string, string>()
  readonly #client: TestClient
  readonly #running: Promise<unknown>
  #isStopping = false

  constructor(client: TestClient) {
    this.#client = client
    this.#running = Promise.all([this.#read(), this.#write()])
  }

  /** Ends the load. Writes that were refused are repeated until they are done. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#running
  }

  async #read(): Promise<void> {
    while (!this.#isStopping) {
      await this.#call('matches.list', { limit: 5 })
      await sleep(READ_EVERY_MS)
    }
  }

  /** Creates a match and leaves it. A call that fails is repeated under its `eid`, as the client does it. */
  async #write(): Promise<void> {
    while (!this.#isStopping) {
      const eid = randomUUID()
      const { id } = await this.#until<{ id: string }>('matches.create', { game: 'pong', mode: 'casual' }, eid)
      this.written.set(eid, id)
      await this.#until('matches.leave', { matchId: id }, randomUUID())
      await sleep(WRITE_EVERY_MS)
    }
  }

  async #until<Data>(type: string, data: object, eid: string): Promise<Data> {
    for (;;) {
      const answer = await this.#call<Data>(type, data, eid)
      if (answer.error === undefined) return answer.data
      await sleep(WRITE_EVERY_MS)
    }
  }

  async #call<Data>(type: string, data: object, eid: string = randomUUID()) {
    const sentAt = performance.now()
    const answer = await this.#client.request<Data>(type, data, { eid, deadlineMs: NO_ANSWER_MS })
    this.answers.push({ type, sentAt, ms: performance.now() - sentAt, error: answer.error })
    return answer
  }
}

/** The answers to calls that were sent from `begin` to `end`: the slowest, and how many there were of each kind. */
export function answersBetween(callers: readonly Caller[], begin: number, end: number) {
  const answers = callers.flatMap((caller) => caller.answers).filter(({ sentAt }) => sentAt >= begin && sentAt < end)
  const counts: Record<string, number> = {}
  for (const { error = 'ok' } of answers) counts[error] = (counts[error] ?? 0) + 1
  return { counts, slowestMs: Math.max(...answers.map(({ ms }) => ms)) }
}
