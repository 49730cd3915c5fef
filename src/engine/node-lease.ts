import { type Sql, statement } from '../db/sql.ts'

export interface NodeLeaseOptions {
  /** Connections that a busy server leaves free. */
  readonly sql: Sql
  readonly node: string
  /** Who has not been heard of for this long is dead, and its matches are up for grabs. Default 5000. */
  readonly leaseMs?: number
  /** Told once there are no dead nodes any more, while this one is certain to be alive itself. */
  readonly onDead: () => Promise<void>
  readonly onError: (error: unknown) => void
}

const LEASE_MS = 5_000
const BEATS_PER_LEASE = 5
/** Beats under way: one that hangs does not keep the next from being heard. */
const MAX_BEATING = 3

const BEAT = statement(
  'nodes.beat',
  `INSERT INTO nodes (id, heartbeat_at) VALUES ($1, now()) ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()`,
)
const LEAVE = statement('nodes.leave', 'DELETE FROM nodes WHERE id = $1')
const FORGET = statement('nodes.forget', 'DELETE FROM nodes WHERE heartbeat_at < now() - make_interval(secs => $1)')

/**
 * This process' sign of life in the database, by which other processes know whose matches are orphaned. Times are
 * the database's own, so that clocks of nodes need not agree.
 */
export class NodeLease {
  readonly #options: NodeLeaseOptions
  readonly #leaseMs: number
  readonly #beating = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #burying: Promise<void> | undefined
  /** Since when beats have come without a silence in which the others could not be heard either. */
  #aliveSince = 0
  #lastBeat = 0
  #stopped = false

  constructor(options: NodeLeaseOptions) {
    this.#options = options
    this.#leaseMs = options.leaseMs ?? LEASE_MS
  }

  /** Enters the node and begins to beat. */
  async start(): Promise<void> {
    await this.#options.sql.rows(BEAT, [this.#options.node])
    this.#aliveSince = this.#lastBeat = Date.now()
    this.#timer = setInterval(() => this.#next(), this.#leaseMs / BEATS_PER_LEASE)
  }

  /** Gives the lease up at once; when the database does not take that, it runs out by itself. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    await Promise.all([...this.#beating, this.#burying])
    try {
      await this.#options.sql.rows(LEAVE, [this.#options.node])
    } catch (error) {
      this.#options.onError(error)
    }
  }

  #next(): void {
    if (this.#beating.size >= MAX_BEATING) return
    const beat: Promise<void> = this.#beat()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => this.#beating.delete(beat))
    this.#beating.add(beat)
  }

  async #beat(): Promise<void> {
    const { sql, node } = this.#options
    await sql.rows(BEAT, [node])
    const now = Date.now()
    // After a silence of the database every node looks dead: give them time to be heard of before burying any.
    if (now - this.#lastBeat > this.#leaseMs / 2) this.#aliveSince = now
    this.#lastBeat = now
    if (now - this.#aliveSince < this.#leaseMs || this.#stopped) return
    this.#burying ??= this.#bury()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => {
        this.#burying = undefined
      })
  }

  async #bury(): Promise<void> {
    const { sql, onDead } = this.#options
    await sql.rows(FORGET, [this.#leaseMs / 1000])
    await onDead()
  }
}
