import type { Db } from '../db/client.ts'

export interface NodeLeaseOptions {
  readonly db: Db
  readonly node: string
  /** Told of nodes found dead, while this one is certain to be alive itself. */
  readonly onDead: () => Promise<void>
  readonly onError: (error: unknown) => void
}

const BEAT_MS = 1_000
/** A node that has not been heard of for this long is dead, and its matches are up for grabs. */
export const LEASE_SECONDS = 5

/**
 * This process' sign of life in the database, by which other processes know whose matches are orphaned. Times are
 * the database's own, so that clocks of nodes need not agree.
 */
export class NodeLease {
  readonly #options: NodeLeaseOptions
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  /** Beats in a row without a break longer than the lease. */
  #aliveSince = 0
  #lastBeat = 0
  #stopped = false

  constructor(options: NodeLeaseOptions) {
    this.#options = options
  }

  /** Enters the node and begins to beat. */
  async start(): Promise<void> {
    await this.#options.db.node.create({ data: { id: this.#options.node } })
    this.#aliveSince = this.#lastBeat = Date.now()
    this.#schedule()
  }

  /** Gives the lease up at once. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#beating
    await this.#options.db.node.deleteMany({ where: { id: this.#options.node } })
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#beating = this.#beat()
        .catch((error: unknown) => this.#options.onError(error))
        .finally(() => {
          if (!this.#stopped) this.#schedule()
        })
    }, BEAT_MS)
  }

  async #beat(): Promise<void> {
    const { db, node, onDead } = this.#options
    await db.$executeRaw`
      INSERT INTO nodes (id, heartbeat_at) VALUES (${node}, now())
      ON CONFLICT (id) DO UPDATE SET heartbeat_at = now()`
    const now = Date.now()
    // After a silence of the database every node looks dead: give them time to be heard of before burying any.
    if (now - this.#lastBeat > LEASE_SECONDS * 1000) this.#aliveSince = now
    this.#lastBeat = now
    if (now - this.#aliveSince < LEASE_SECONDS * 1000) return
    await db.$executeRaw`DELETE FROM nodes WHERE heartbeat_at < now() - make_interval(secs => ${LEASE_SECONDS})`
    await onDead()
  }
}
