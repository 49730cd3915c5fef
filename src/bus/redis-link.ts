import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { withDeadline } from '../deadline.ts'

export interface RedisLinkOptions {
  readonly url: string
  /** Subscribed before the link counts as up. */
  readonly channels: readonly string[]
  readonly onUp: () => void
  readonly onDown: () => void
  readonly onMessage: (bytes: Uint8Array) => void
  readonly log: LinkLog
}

export type LinkLog = Readonly<Record<'info' | 'warn', (details: object, message: string) => void>>

const CONNECT_MS = 3_000
/** Waits between attempts to connect: they double from the first to the last, each shortened at random by up to a half. */
const FIRST_WAIT_MS = 50
const MAX_WAIT_MS = 2_000
/** Bytes sent that Redis has not confirmed. Further messages are dropped. */
const MAX_UNCONFIRMED_BYTES = 8 * 1024 * 1024
/** Calls of `watch` without an answer after which the connection counts as dead. */
const MAX_SILENT_WATCHES = 6

type Client = ReturnType<typeof clientOf>

/** One connection to Redis 6 or later (RESP3). It connects again until it is closed, and keeps nothing while it is down. */
export class RedisLink {
  readonly #options: RedisLinkOptions
  readonly #closing = new AbortController()
  #client: Client | undefined
  #running: Promise<void> = Promise.resolve()
  /** Ends the connection that is up. */
  #fail: (error: unknown) => void = () => {}
  #unconfirmedBytes = 0
  #unanswered = 0
  #silentWatches = 0

  constructor(options: RedisLinkOptions) {
    this.#options = options
  }

  get isUp(): boolean {
    return this.#client !== undefined
  }

  start(): void {
    this.#running = this.#run()
  }

  /**
   * Publishes without waiting. `onSent` is told how many connections Redis gave it to.
   * @returns false when it was dropped: the link is down, or Redis is too slow.
   */
  publish(channel: string, bytes: Buffer, onSent?: (receivers: number) => void): boolean {
    const client = this.#client
    if (!client || this.#unconfirmedBytes + bytes.length > MAX_UNCONFIRMED_BYTES) return false
    this.#unconfirmedBytes += bytes.length
    this.#unanswered++
    const answered = () => {
      if (this.#client !== client) return
      this.#unconfirmedBytes -= bytes.length
      this.#unanswered--
      this.#silentWatches = 0
    }
    client.publish(channel, bytes).then(
      (receivers) => {
        answered()
        onSent?.(receivers)
      },
      // The client rejects what was under way when the connection breaks, which it reports by itself.
      answered,
    )
    return true
  }

  /** Ends a connection that does not answer any more. Call it at a steady pace, after a `publish`. */
  watch(): void {
    if (this.#unanswered === 0) return
    // Counted in calls and not in time: after a pause of this process answers may wait to be read.
    if (++this.#silentWatches > MAX_SILENT_WATCHES) this.#fail(new Error('Redis does not answer'))
  }

  async ping(deadlineMs: number): Promise<void> {
    if (!this.#client) throw new Error('Redis is not connected')
    await withDeadline(this.#client.ping(), deadlineMs)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#fail(new Error('closed'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    const { url, channels, onMessage, onUp, onDown, log } = this.#options
    let waitMs = FIRST_WAIT_MS
    let isReported = false
    while (!signal.aborted) {
      const failed = new Promise<unknown>((resolve) => {
        this.#fail = resolve
      })
      const client = clientOf(url)
      client.on('error', this.#fail)
      try {
        const subscribed = client.connect().then(() => client.subscribe([...channels], onMessage, true))
        await withDeadline(Promise.race([subscribed, failed.then(raise)]), CONNECT_MS)
        if (isReported) log.info({}, 'Redis is connected again')
        isReported = false
        waitMs = FIRST_WAIT_MS
        this.#client = client
        this.#unconfirmedBytes = 0
        this.#unanswered = 0
        this.#silentWatches = 0
        onUp()
        raise(await failed)
      } catch (error) {
        if (!isReported && !signal.aborted) log.warn({ err: error }, 'Redis cannot be reached')
        isReported = true
        if (this.#client) {
          this.#client = undefined
          onDown()
        }
        client.destroy()
      }
      await sleep(waitMs * (1 - Math.random() / 2), undefined, { signal }).catch(() => undefined)
      waitMs = Math.min(MAX_WAIT_MS, waitMs * 2)
    }
  }
}

function clientOf(url: string) {
  return createClient({
    url,
    RESP: 3,
    disableOfflineQueue: true,
    maintNotifications: 'disabled',
    // The link connects again itself: a client of its own for each connection mixes no two of them up.
    socket: { connectTimeout: CONNECT_MS, reconnectStrategy: false },
  })
}

function raise(error: unknown): never {
  throw error
}
