import { z } from 'zod'
import type { BusMessage, BusSubscription } from '../../../bus/bus.ts'
import { statement } from '../../../db/sql.ts'
import { closeCodes } from '../../../protocol/index.ts'
import { type Channel, channel } from '../../../rpc/index.ts'
import type { Platform } from '../../platform.ts'
import { BoundedMap } from '../bounded-map.ts'
import { SessionEnd } from '../types.ts'

/** The database is asked this often for sessions that ended lately, so sockets close well within a second. */
export const LOOK_EVERY_MS = 500
/** Every so many looks, that is every 30 s, all sessions with open sockets are looked up. */
const CHECK_EVERY_LOOKS = 60
/** How far the clocks of two nodes may differ. */
const CLOCKS_MS = 5_000
/** The socket closes this long after the session ended, so the answer to a logout and the event are sent first. */
const CLOSE_AFTER_MS = 50
/** When more sessions than this ended lately, the sessions with open sockets are looked up instead. */
const MAX_ENDED = 1_000
const CHECK_BATCH = 500
const MAX_REMEMBERED = 20_000

const ENDED_SINCE = statement<{ readonly id: string; readonly isExpired: boolean }>(
  'sessions.endedSince',
  `SELECT id, ended_at >= expires_at AS "isExpired" FROM sessions WHERE ended_at > $1 LIMIT $2`,
)

const NOT_ENDED_AMONG = statement<{ readonly id: string }>(
  'sessions.notEndedAmong',
  'SELECT id FROM sessions WHERE id = ANY ($1::text[]) AND ended_at IS NULL',
)

const TOPIC = 'auth.sessions'
const Ended = z.object({ sessionId: z.string(), userId: z.string(), reason: SessionEnd.shape.reason })
type Ended = z.infer<typeof Ended>

/** The row of a session does not tell why it ended. */
type Closing = Omit<Ended, 'reason'> & { readonly reason: Ended['reason'] | 'ended' }

/** The stream of `auth.onSession`: its only event is the end of the session. */
export function sessionChannel(sessionId: string): Channel<SessionEnd> {
  return channel<SessionEnd>('auth.onSession', sessionId)
}
export const sessionSeq = { open: 0, ended: 1 } as const

/**
 * Closes the sockets of this node whose session has ended on any node. The bus reports the end at once. It may lose
 * messages, so the node also asks the database: twice a second for the sessions that ended lately; and every 30 s, or
 * when the bus has lost messages, for every session with an open socket.
 */
export class SessionCloser {
  readonly #platform: Platform
  readonly #now: () => number
  /** How far a look reaches back: a row is dated before its transaction commits, and by the clock of its node. */
  readonly #overlapMs: number
  /** When the last look began that succeeded. */
  #lookedAt: number
  #subscription: BusSubscription | undefined
  #looksUntilCheck = CHECK_EVERY_LOOKS
  /** Sessions whose sockets are about to be closed, by id. */
  #closing = new Map<string, Closing>()
  #timer: NodeJS.Timeout | undefined
  /** Sessions that have ended or never existed, whose cookies are not looked up again. Expired ones are: clocks can be wrong. */
  readonly #ended = new BoundedMap<string, true>(MAX_REMEMBERED)

  constructor(platform: Platform, now: () => number) {
    this.#platform = platform
    this.#now = now
    this.#overlapMs = platform.config.database.transactionTimeoutMs + CLOCKS_MS
    this.#lookedAt = now()
  }

  async start(): Promise<void> {
    const onEnded = ({ payload }: BusMessage) => {
      const ended = Ended.safeParse(JSON.parse(Buffer.from(payload).toString()))
      if (!ended.success) return
      this.remember(ended.data.sessionId)
      this.#close(ended.data)
    }
    this.#subscription = this.#platform.bus.subscribe(TOPIC, onEnded, () => {
      this.#looksUntilCheck = 0
    })
    await this.#subscription.ready
  }

  /** Closes what is about to be closed. */
  stop(): void {
    this.#subscription?.unsubscribe()
    this.#closeNow()
  }

  hasEnded(sessionId: string): boolean {
    return this.#ended.has(sessionId)
  }

  /** Notes that a session has ended for good. */
  remember(sessionId: string): void {
    this.#ended.set(sessionId, true)
  }

  /** Tells the session's streams and all nodes that it has ended. To be called when that is committed. */
  announce(ended: Ended): void {
    const { hub, bus } = this.#platform
    hub.publish(sessionChannel(ended.sessionId), sessionSeq.ended, { reason: ended.reason })
    bus.publish(TOPIC, { seq: 0, payload: JSON.stringify(ended) })
  }

  /** Closes the sockets whose session ended since the last look that succeeded. One query, unless a check is due. */
  async look(): Promise<void> {
    const { connections, database } = this.#platform
    const now = this.#now()
    // Without a signed-in socket there is nothing to close. A later socket has its own look-up of its session.
    if (connections.users().next().done !== true) {
      const since = new Date(Math.min(this.#lookedAt, now) - this.#overlapMs)
      const ended = await database.reserved.rows(ENDED_SINCE, [since, MAX_ENDED + 1])
      if (ended.length > MAX_ENDED || this.#looksUntilCheck <= 0) await this.#check()
      else this.#closeAmong(new Map(ended.map((row) => [row.id, row.isExpired ? 'expired' : 'ended'])))
    }
    this.#lookedAt = now
    this.#looksUntilCheck--
  }

  /** Looks up every session with an open socket, and closes the sockets of those that have ended. */
  async #check(): Promise<void> {
    const { connections, database } = this.#platform
    const open = [...new Set([...connections].flatMap(({ caller }) => caller.sessionId ?? []))]
    for (let start = 0; start < open.length; start += CHECK_BATCH) {
      const ids = open.slice(start, start + CHECK_BATCH)
      const rows = await database.reserved.rows(NOT_ENDED_AMONG, [ids])
      const living = new Set(rows.map(({ id }) => id))
      this.#closeAmong(new Map(ids.filter((id) => !living.has(id)).map((id) => [id, 'ended'])))
    }
    this.#looksUntilCheck = CHECK_EVERY_LOOKS
  }

  #closeAmong(ended: ReadonlyMap<string, Closing['reason']>): void {
    if (ended.size === 0) return
    for (const { caller } of this.#platform.connections) {
      const { sessionId, user } = caller
      const reason = sessionId === null ? undefined : ended.get(sessionId)
      // The bus may have told of it already, with the true reason.
      if (sessionId === null || !user || reason === undefined || this.#closing.has(sessionId)) continue
      this.#close({ sessionId, userId: user.id, reason })
    }
  }

  #close(ended: Closing): void {
    this.#closing.set(ended.sessionId, ended)
    this.#timer ??= setTimeout(() => this.#closeNow(), CLOSE_AFTER_MS)
  }

  #closeNow(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const closing = this.#closing
    this.#closing = new Map()
    for (const { userId, sessionId, reason } of closing.values()) {
      this.#platform.connections.closeSession(userId, sessionId, closeCodes.sessionEnded, reason)
    }
  }
}
