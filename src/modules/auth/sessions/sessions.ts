import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { BusSubscription } from '../../../bus/bus.ts'
import { batched } from '../../../db/batched-lookup.ts'
import { isUnavailable } from '../../../db/retry.ts'
import { closeCodes } from '../../../protocol/index.ts'
import { type Caller, RpcError, type SessionGate, type SignedIn } from '../../../rpc/index.ts'
import { type PageRequest, readPage } from '../../pages.ts'
import type { Platform } from '../../platform.ts'
import type { Scope } from '../../scope.ts'
import { plainScope } from '../../scope.ts'
import { SessionId } from '../../wire.ts'
import { BoundedMap } from '../bounded-map.ts'
import { sessionChannel, sessionSeq } from '../channels.ts'
import { type OpenSession, SessionEnd, type SessionInfo } from '../types.ts'
import { type SessionRow, sessionRows } from './session-rows.ts'
import type { Tickets } from './tickets.ts'

/** From the last renewal; a cookie in use renews itself past half of it. */
export const SESSION_MS = 30 * 24 * 60 * 60_000
/** `lastSeenAt` is as exact as this, so that coming back seldom costs a write. */
const SEEN_EVERY_MS = 5 * 60_000
/** The answer to a logout and the event leave first, then the socket is closed. */
const CLOSE_AFTER_MS = 50
const CHECK_BATCH = 500
/** Of those that ended lately; where more did, the open ones are asked for instead. */
const MAX_ENDED = 1000
/** Sessions known to be over for good. */
const MAX_OVER = 20_000

const TOPIC = 'auth.sessions'
const Ended = z.object({ sessionId: z.string(), userId: z.string(), reason: SessionEnd.shape.reason })
type Ended = z.infer<typeof Ended>

/** What is known of a session whose sockets are to be closed. Its row does not say why it was ended. */
interface Closing {
  readonly sessionId: string
  readonly userId: string
  readonly reason: Ended['reason'] | 'ended'
}

/** Sessions in the database, and the closing of their sockets on every node. */
export class Sessions implements SessionGate {
  readonly #platform: Platform
  readonly #tickets: Tickets
  readonly #now: () => number
  #subscription: BusSubscription | undefined
  /** Sessions whose sockets are about to be closed here, by id. */
  #closing = new Map<string, Closing>()
  #closer: NodeJS.Timeout | undefined
  /**
   * Sessions that have ended, or that there is no row of: their cookies need not be looked up again, for ever, as an id
   * is random and never given twice. One that expired is not among them, as clocks can be wrong.
   */
  readonly #over = new BoundedMap<string, true>(MAX_OVER)
  readonly #look: (sessionId: string) => Promise<SessionRow | undefined>
  readonly #touch: (sessionId: string) => Promise<unknown>

  constructor(platform: Platform, tickets: Tickets, now: () => number) {
    this.#platform = platform
    this.#tickets = tickets
    this.#now = now
    const { reserved } = platform.database
    this.#look = batched((ids) => sessionRows.byIds(reserved, ids), { maxRunning: 1, maxKeys: 512 })
    const touch = async (ids: readonly string[]) => {
      await sessionRows.touch(reserved, ids, new Date(now()))
      return new Map<string, never>()
    }
    this.#touch = batched(touch, { maxRunning: 1, maxKeys: 512 })
  }

  /** Begins to listen for sessions that end anywhere. */
  async start(): Promise<void> {
    this.#subscription = this.#platform.bus.subscribe(TOPIC, ({ payload }) => {
      const ended = Ended.safeParse(JSON.parse(Buffer.from(payload).toString()))
      if (!ended.success) return
      this.#over.set(ended.data.sessionId, true)
      this.#close(ended.data)
    })
    await this.#subscription.ready
  }

  stop(): void {
    this.#subscription?.unsubscribe()
    this.#closeNow()
  }

  async resume(sessionId: string, userId: string): Promise<SignedIn | null> {
    if (this.#over.has(sessionId)) return null
    const row = await this.#look(sessionId)
    if (!row || row.endedAt) this.#over.set(sessionId, true)
    // It may have ended since the row was read.
    if (!row || this.#over.has(sessionId) || row.user.id !== userId) return null
    const now = this.#now()
    if (row.expiresAt.getTime() <= now) return null
    if (row.lastSeenAt.getTime() < now - SEEN_EVERY_MS) await this.#seen(sessionId)
    return toSignedIn(row)
  }

  async extend(sessionId: string, userId: string): Promise<SignedIn | null> {
    // One that has ended costs no statement of its own, and is known afterwards.
    if ((await this.resume(sessionId, userId)) === null) return null
    const now = this.#now()
    const owned = { id: sessionId, userId }
    const { reserved } = this.#platform.database
    const row = await sessionRows.extend(reserved, owned, new Date(now), new Date(now + SESSION_MS))
    return row && toSignedIn(row)
  }

  async redeem(token: string, from: Pick<Caller, 'ip' | 'userAgent'>): Promise<SignedIn> {
    const ticket = this.#tickets.read(token)
    if (!ticket) throw badTicket()
    const now = this.#now()
    const session = {
      id: randomUUID(),
      userId: ticket.userId,
      ip: from.ip,
      userAgent: from.userAgent.slice(0, 200).toWellFormed(),
      createdAt: new Date(now),
      expiresAt: new Date(now + SESSION_MS),
    }
    const used = { id: ticket.id, expiresAt: new Date(ticket.expiresAt) }
    const user = await asGate(sessionRows.redeem(this.#platform.database.reserved, used, session))
    if (!user) throw badTicket()
    return { user, sessionId: session.id, expiresAt: session.expiresAt.getTime() }
  }

  async end(sessionId: string, userId: string): Promise<void> {
    if (this.#over.has(sessionId)) return
    const scope = { ...plainScope(this.#platform), sql: this.#platform.database.reserved }
    await asGate(this.finish(scope, sessionId, userId, 'logout'))
  }

  /** Ends a session of this user; false when it is not theirs or has ended already. */
  async finish(scope: Scope, sessionId: string, userId: string, reason: SessionEnd['reason']): Promise<boolean> {
    const isEnded = await sessionRows.end(scope.sql, { id: sessionId, userId }, new Date(this.#now()))
    if (isEnded) scope.afterCommit(() => this.#announce({ sessionId, userId, reason }))
    return isEnded
  }

  /** Ends all sessions of a user but one. */
  async finishOthers(scope: Scope, exceptId: string, userId: string): Promise<void> {
    const ended = await sessionRows.endOthers(scope.sql, { id: exceptId, userId }, new Date(this.#now()))
    scope.afterCommit(() => {
      for (const sessionId of ended) this.#announce({ sessionId, userId, reason: 'revoked' })
    })
  }

  /** The session while it has not ended. All who ask in one moment, as after a restart, share a query. */
  async find(sessionId: string, userId: string): Promise<(OpenSession & { createdAt: number }) | null> {
    const row = await asGate(this.#look(sessionId))
    if (!row || row.user.id !== userId || row.endedAt || row.expiresAt.getTime() <= this.#now()) return null
    const id = SessionId.parse(sessionId)
    return { id, expiresAt: row.expiresAt.getTime(), createdAt: row.createdAt.getTime() }
  }

  /** The open sessions of a user, newest first. */
  list(
    { db }: Scope,
    { userId, currentId }: { readonly userId: string; readonly currentId: string | null },
    page: PageRequest,
  ): Promise<{ items: SessionInfo[]; nextCursor?: string }> {
    return readPage(page, {
      limit: 50,
      read: ({ after, take }) =>
        db.session.findMany({
          where: {
            userId,
            endedAt: null,
            expiresAt: { gt: new Date(this.#now()) },
            ...(after && { OR: [{ createdAt: { lt: after.at } }, { createdAt: after.at, id: { lt: after.id } }] }),
          },
          orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
          take,
        }),
      key: ({ createdAt, id }) => ({ at: createdAt.getTime(), id }),
      item: (row): SessionInfo => ({
        id: SessionId.parse(row.id),
        current: row.id === currentId,
        userAgent: row.userAgent,
        ip: row.ip,
        createdAt: row.createdAt.getTime(),
        lastSeenAt: row.lastSeenAt.getTime(),
        expiresAt: row.expiresAt.getTime(),
      }),
    })
  }

  /** Ends up to `batch` sessions whose time is over, and says how many. */
  async expire(batch: number): Promise<number> {
    const expired = await sessionRows.expire(this.#platform.database.sql, new Date(this.#now()), batch)
    for (const { id, userId } of expired) this.#announce({ sessionId: id, userId, reason: 'expired' })
    return expired.length
  }

  /** Closes the sockets here whose session ended after `since`, on whichever node. One query, as a rule. */
  async closeEndedSince(since: Date): Promise<void> {
    const { connections, database } = this.#platform
    const ended = await sessionRows.endedSince(database.reserved, since, MAX_ENDED + 1)
    if (ended.length > MAX_ENDED) return this.closeEnded()
    const here = new Map(ended.filter(({ userId }) => connections.isOnline(userId)).map((row) => [row.id, row]))
    if (here.size === 0) return
    for (const { caller } of connections) {
      const row = caller.sessionId === null ? undefined : here.get(caller.sessionId)
      // What the bus says of it says why.
      if (!row || this.#closing.has(row.id)) continue
      this.#over.set(row.id, true)
      this.#close({ sessionId: row.id, userId: row.userId, reason: row.isExpired ? 'expired' : 'ended' })
    }
  }

  /**
   * Closes the sockets here whose session is over, however long ago that was: each of them is looked up. The last
   * resort, should neither the bus nor a look at those that ended lately have told of one.
   */
  async closeEnded(): Promise<void> {
    const open = new Map<string, string>()
    for (const { caller } of this.#platform.connections) {
      if (caller.sessionId !== null && caller.user) open.set(caller.sessionId, caller.user.id)
    }
    const all = [...open.keys()]
    for (let start = 0; start < all.length; start += CHECK_BATCH) {
      const ids = all.slice(start, start + CHECK_BATCH)
      const living = await sessionRows.openAmong(this.#platform.database.reserved, ids, new Date(this.#now()))
      for (const sessionId of ids) {
        const userId = open.get(sessionId)
        if (userId !== undefined && !living.has(sessionId)) this.#close({ sessionId, userId, reason: 'expired' })
      }
    }
  }

  /** Nobody is kept out because that could not be written. */
  async #seen(sessionId: string): Promise<void> {
    try {
      await this.#touch(sessionId)
    } catch (error) {
      this.#platform.log.of('auth').debug({ err: error }, 'when a session was seen could not be written')
    }
  }

  #announce(ended: Ended): void {
    const { hub, bus } = this.#platform
    hub.publish(sessionChannel(ended.sessionId), sessionSeq.ended, { reason: ended.reason })
    bus.publish(TOPIC, { seq: 0, payload: JSON.stringify(ended) })
  }

  #close(ended: Closing): void {
    this.#closing.set(ended.sessionId, ended)
    this.#closer ??= setTimeout(() => this.#closeNow(), CLOSE_AFTER_MS)
  }

  #closeNow(): void {
    clearTimeout(this.#closer)
    this.#closer = undefined
    const closing = this.#closing
    this.#closing = new Map()
    for (const { userId, sessionId, reason } of closing.values()) {
      this.#platform.connections.closeSession(userId, sessionId, closeCodes.sessionEnded, reason)
    }
  }
}

function toSignedIn({ id, user, expiresAt }: SessionRow): SignedIn {
  return { user, sessionId: id, expiresAt: expiresAt.getTime() }
}

/** The transport knows no database: it is told of one that is away in the words of the protocol. */
async function asGate<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!isUnavailable(error)) throw error
    throw new RpcError('UNAVAILABLE', 'The database does not answer', { retryAfterMs: 1000 })
  }
}

function badTicket(): RpcError {
  return new RpcError('UNAUTHENTICATED', 'This ticket is not valid, or not any more; sign in again')
}
