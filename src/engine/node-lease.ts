import { type Sql, statement } from '../db/sql.ts'

export interface NodeLeaseOptions {
  /** Connections that a busy server leaves free. */
  readonly sql: Sql
  readonly node: string
  /** A node that has not been heard of for this long is dead, and its matches are orphaned. Default 5000. */
  readonly leaseMs?: number
  readonly onError: (error: unknown) => void
}

const LEASE_MS = 5_000
const BEATS_PER_LEASE = 5
/** Beats under way: one that hangs does not keep the next from being heard. */
const MAX_BEATING = 3

const BEAT = statement<{ startedAt: Date }>(
  'nodes.beat',
  `INSERT INTO nodes (id, heartbeat_at) VALUES ($1, now()) ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()
   RETURNING started_at AS "startedAt"`,
)
const LEAVE = statement('nodes.leave', 'DELETE FROM nodes WHERE id = $1')
const REMOVE_DEAD = statement(
  'nodes.removeDead',
  'DELETE FROM nodes WHERE heartbeat_at < now() - make_interval(secs => $1)',
)

/**
 * This process' sign of life in the database, by which other processes know whose matches are orphaned. Times are
 * the database's own, so that clocks of nodes need not agree.
 */
export class NodeLease {
  readonly #options: NodeLeaseOptions
  readonly #leaseMs: number
  readonly #deadListeners: (() => Promise<void>)[] = []
  readonly #revivedListeners: (() => void)[] = []
  readonly #lapsedListeners: (() => void)[] = []
  readonly #beating = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #lapseTimer: NodeJS.Timeout | undefined
  /** Until when no other node takes this one for dead. Monotonic, ms. */
  #heldUntil = 0
  #removing: Promise<void> | undefined
  /** When the node's row was made. */
  #enteredAt: number | undefined
  /** Since when beats have come without a silence in which the others could not be heard either. Monotonic, ms. */
  #aliveSince = 0
  #lastBeat = 0
  #stopped = false

  constructor(options: NodeLeaseOptions) {
    this.#options = options
    this.#leaseMs = options.leaseMs ?? LEASE_MS
  }

  /** Calls `listener` when the rows of dead nodes are deleted, while this node is certain to be alive itself. */
  onDead(listener: () => Promise<void>): void {
    this.#deadListeners.push(listener)
  }

  /**
   * Calls `listener` when others had taken this node for dead: everything that belonged to its row was deleted with it,
   * and the node has a new row.
   */
  onRevived(listener: () => void): void {
    this.#revivedListeners.push(listener)
  }

  /**
   * Calls `listener` when beats have not succeeded for so long that other nodes may take this one for dead: what it runs
   * is no longer its own for certain.
   */
  onLapsed(listener: () => void): void {
    this.#lapsedListeners.push(listener)
  }

  /** Whether no other node can take this one for dead. */
  get isHeld(): boolean {
    return performance.now() < this.#heldUntil
  }

  /** Enters the node and begins to beat. */
  async start(): Promise<void> {
    const sentAt = performance.now()
    const row = await this.#options.sql.first(BEAT, [this.#options.node])
    this.#enteredAt = row?.startedAt.getTime()
    this.#aliveSince = this.#lastBeat = performance.now()
    this.#hold(sentAt)
    this.#timer = setInterval(() => this.#next(), this.#leaseMs / BEATS_PER_LEASE)
  }

  /** Gives the lease up at once; when the database does not take that, it runs out by itself. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    clearTimeout(this.#lapseTimer)
    await Promise.all([...this.#beating, this.#removing])
    await this.#options.sql.rows(LEAVE, [this.#options.node]).catch(this.#options.onError)
  }

  #next(): void {
    if (this.#beating.size >= MAX_BEATING) return
    const beat: Promise<void> = this.#beat()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => this.#beating.delete(beat))
    this.#beating.add(beat)
  }

  /** A beat was written after `sentAt`. The lease ends a little before others may see that. */
  #hold(sentAt: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, sentAt + this.#leaseMs - this.#leaseMs / (2 * BEATS_PER_LEASE))
    clearTimeout(this.#lapseTimer)
    if (this.#stopped) return
    this.#lapseTimer = setTimeout(
      () => {
        for (const listener of this.#lapsedListeners) listener()
      },
      Math.max(0, this.#heldUntil - performance.now()),
    )
  }

  async #beat(): Promise<void> {
    const { sql, node } = this.#options
    const sentAt = performance.now()
    const row = await sql.first(BEAT, [node])
    const now = performance.now()
    this.#hold(sentAt)
    const enteredAt = row?.startedAt.getTime()
    if (enteredAt !== this.#enteredAt) {
      this.#enteredAt = enteredAt
      for (const listener of this.#revivedListeners) listener()
    }
    // After a silence of the database every node looks dead: give them time to be heard of before any is removed.
    if (now - this.#lastBeat > this.#leaseMs / 2) this.#aliveSince = now
    this.#lastBeat = now
    if (now - this.#aliveSince < this.#leaseMs || this.#stopped) return
    this.#removing ??= this.#removeDead()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => {
        this.#removing = undefined
      })
  }

  async #removeDead(): Promise<void> {
    await this.#options.sql.rows(REMOVE_DEAD, [this.#leaseMs / 1000])
    await Promise.all(this.#deadListeners.map((listener) => listener()))
  }
}
