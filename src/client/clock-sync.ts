import type { ServerMessage } from '../protocol/envelope.ts'
import { type Clock, localNow } from './clock.ts'

/** How often the clock is compared with the server's. */
const DEFAULT_INTERVAL_MS = 15_000
/** Pings right after a connection, and the time between them: the clock is good within a second. */
const FIRST_PINGS = 5
const FIRST_PING_MS = 200
/** Pings that may wait for their answer. */
const MAX_PINGS = 16

/** Keeps a clock set by pinging the server. */
export class ClockSync {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #send: () => string
  /** When each ping was sent, by its eid. */
  readonly #pings = new Map<string, number>()
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `send` sends an `rpc.ping` and returns its eid. */
  constructor(clock: Clock, send: () => string, intervalMs = DEFAULT_INTERVAL_MS) {
    this.#clock = clock
    this.#send = send
    this.#intervalMs = intervalMs
  }

  /** A new connection. */
  start(): void {
    this.#clock.restart()
    this.#schedule(FIRST_PINGS)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#pings.clear()
  }

  ping(): void {
    const [oldest] = this.#pings.keys()
    if (this.#pings.size >= MAX_PINGS && oldest !== undefined) this.#pings.delete(oldest)
    this.#pings.set(this.#send(), localNow())
  }

  /** Takes the answer to a ping; false for any other message. */
  answer(message: ServerMessage): boolean {
    const sentAt = this.#pings.get(message.eid)
    if (sentAt === undefined) return false
    this.#pings.delete(message.eid)
    if (!('error' in message)) this.#clock.add(sentAt, message.ts)
    return true
  }

  #schedule(first: number): void {
    this.ping()
    const waitMs = first > 1 ? FIRST_PING_MS : this.#intervalMs
    this.#timer = setTimeout(() => this.#schedule(Math.max(0, first - 1)), waitMs)
  }
}
