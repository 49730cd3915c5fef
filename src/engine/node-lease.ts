import { type Sql, statement } from '../db/sql.ts'

export interface NodeLeaseOptions {
  /** The reserved connections of the database. */
  readonly sql: Sql
  readonly node: string
  /** A node that has not renewed its lease for this long is dead to the others. Default 5000. */
  readonly leaseMs?: number
  readonly onError: (error: unknown) => void
}

const LEASE_MS = 5_000
const RENEWALS_PER_LEASE = 5
/** A node whose last renewal is older has missed two, and is probably dead. */
export const PROBABLY_DEAD_MS = (3 * LEASE_MS) / RENEWALS_PER_LEASE
/** A node considers its own lease lapsed this much earlier than others do: monotonic clocks differ by far less. */
const MARGIN = 0.1
/** Renewals under way: one that hangs does not hold up the next. */
const MAX_RENEWING = 3

const RENEW = statement<{ startedAt: Date }>(
  'nodes.renew',
  `INSERT INTO nodes (id, heartbeat_at) VALUES ($1, now()) ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()
   RETURNING started_at AS "startedAt"`,
)
const LEAVE = statement('nodes.leave', 'DELETE FROM nodes WHERE id = $1')
/** Deletes nodes whose heartbeat is still the given one, and gives the heartbeats of all. Values: nodes, heartbeats. */
const REMOVE_SILENT = statement<Heartbeat>(
  'nodes.removeSilent',
  `WITH removed AS (
     DELETE FROM nodes USING unnest($1::text[], $2::text[]) AS silent (id, heartbeat)
     WHERE nodes.id = silent.id AND heartbeat_at = silent.heartbeat::timestamptz)
   SELECT id, heartbeat_at::text AS heartbeat FROM nodes`,
)

/** As text, because a `Date` has no microseconds. */
interface Heartbeat {
  readonly id: string
  readonly heartbeat: string
}

/**
 * This node's row in the database, renewed several times a lease. By its own monotonic clock a node measures both: how long
 * another node's row has stayed the same, which makes it dead, and whether its own lease, from before it sent the renewal,
 * still holds. So no clock that is set wrong or jumps ends a lease.
 */
export class NodeLease {
  readonly #options: NodeLeaseOptions
  readonly #leaseMs: number
  readonly #deadListeners: (() => Promise<void>)[] = []
  readonly #revivedListeners: (() => void)[] = []
  readonly #lapsedListeners: (() => void)[] = []
  readonly #renewing = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #lapse: NodeJS.Timeout | undefined
  #removing: Promise<void> | undefined
  /** The last heartbeat of each other node, and since when it is known, by the monotonic clock. */
  #heartbeats = new Map<string, { readonly heartbeat: string; readonly since: number }>()
  /** When the database created the node's row. */
  #enteredAt: number | undefined
  /** The others may take this node for dead after this. Monotonic, ms. */
  #heldUntil = 0
  /** When renewals began to succeed without a pause in which other nodes could not renew theirs either. */
  #steadySince = 0
  #renewedAt = 0
  #stopped = false

  constructor(options: NodeLeaseOptions) {
    this.#options = options
    this.#leaseMs = options.leaseMs ?? LEASE_MS
  }

  /** Whether no other node can have taken this one for dead. */
  get isHeld(): boolean {
    return performance.now() < this.#heldUntil
  }

  /** Calls `listener` when the rows of dead nodes are deleted, while this node's own lease is certain. */
  onDead(listener: () => Promise<void>): void {
    this.#deadListeners.push(listener)
  }

  /** Calls `listener` when others had deleted this node and all that belonged to its row. It has a new row. */
  onRevived(listener: () => void): void {
    this.#revivedListeners.push(listener)
  }

  /** Calls `listener` when the lease lapses, shortly before others may act on it: what depends on it stops at once. */
  onLapsed(listener: () => void): void {
    this.#lapsedListeners.push(listener)
  }

  /** Inserts the node's row, and begins to renew its lease. */
  async start(): Promise<void> {
    const sentAt = performance.now()
    const row = await this.#options.sql.first(RENEW, [this.#options.node])
    this.#enteredAt = row?.startedAt.getTime()
    this.#steadySince = this.#renewedAt = performance.now()
    this.#hold(sentAt)
    this.#timer = setInterval(() => this.#next(), this.#leaseMs / RENEWALS_PER_LEASE)
  }

  /** Gives up the lease at once. If the database is away, the lease expires by itself. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearInterval(this.#timer)
    clearTimeout(this.#lapse)
    await Promise.all([...this.#renewing, this.#removing])
    await this.#options.sql.rows(LEAVE, [this.#options.node]).catch(this.#options.onError)
  }

  /** The lease is held for its time from `sentAt` on, when a renewal was sent that has succeeded. */
  #hold(sentAt: number): void {
    if (this.#stopped) return
    const now = performance.now()
    // It may have lapsed while this process was suspended, and the timer fires only now.
    if (this.#lapse !== undefined && now >= this.#heldUntil) this.#lapsed()
    this.#heldUntil = Math.max(this.#heldUntil, sentAt + this.#leaseMs * (1 - MARGIN))
    if (now >= this.#heldUntil) return
    clearTimeout(this.#lapse)
    this.#lapse = setTimeout(() => this.#lapsed(), this.#heldUntil - now)
  }

  #lapsed(): void {
    clearTimeout(this.#lapse)
    this.#lapse = undefined
    for (const listener of this.#lapsedListeners) this.#guard(listener)
  }

  #next(): void {
    if (this.#renewing.size >= MAX_RENEWING) return
    const renewal: Promise<void> = this.#renew()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => this.#renewing.delete(renewal))
    this.#renewing.add(renewal)
  }

  async #renew(): Promise<void> {
    const { sql, node } = this.#options
    const sentAt = performance.now()
    const row = await sql.first(RENEW, [node])
    const now = performance.now()
    this.#hold(sentAt)
    const enteredAt = row?.startedAt.getTime()
    if (enteredAt !== this.#enteredAt) {
      this.#enteredAt = enteredAt
      for (const listener of this.#revivedListeners) this.#guard(listener)
    }
    // While the database was away no node could renew its lease: each gets the time to do so before one is removed.
    if (now - this.#renewedAt > this.#leaseMs / 2) this.#steadySince = now
    this.#renewedAt = now
    if (this.#stopped) return
    this.#removing ??= this.#removeDead(now - this.#steadySince >= this.#leaseMs)
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => {
        this.#removing = undefined
      })
  }

  async #removeDead(isSteady: boolean): Promise<void> {
    const silentSince = performance.now() - this.#leaseMs
    const silent = [...this.#heartbeats].filter(([, { since }]) => isSteady && since <= silentSince)
    const rows = await this.#options.sql.rows(REMOVE_SILENT, [
      silent.map(([id]) => id),
      silent.map(([, { heartbeat }]) => heartbeat),
    ])
    const now = performance.now()
    const seen = rows.map(({ id, heartbeat }) => {
      const known = this.#heartbeats.get(id)
      return [id, known?.heartbeat === heartbeat ? known : { heartbeat, since: now }] as const
    })
    this.#heartbeats = new Map(seen.filter(([id]) => id !== this.#options.node))
    if (isSteady) await Promise.all(this.#deadListeners.map((listener) => listener()))
  }

  #guard(listener: () => void): void {
    try {
      listener()
    } catch (error) {
      this.#options.onError(error)
    }
  }
}
