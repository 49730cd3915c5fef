import { randomUUID } from 'node:crypto'
import { batched } from '../../../db/batched-lookup.ts'
import { isUnavailable } from '../../../db/retry.ts'
import { type Caller, RpcError, type SessionGate, type SignedIn } from '../../../rpc/index.ts'
import { type PageRequest, readPage } from '../../pages.ts'
import type { Platform } from '../../platform.ts'
import { plainScope, type Scope } from '../../scope.ts'
import { SessionId } from '../../wire.ts'
import type { SessionEnd, SessionInfo } from '../types.ts'
import type { SessionCloser } from './closing-sockets.ts'
import { type SessionRow, sessionRows } from './session-rows.ts'
import type { Tickets } from './tickets.ts'

/** How long a session lasts, from its beginning or its last renewal. A cookie past half of its life is renewed. */
const SESSION_MS = 30 * 24 * 60 * 60_000
/** `lastSeenAt` is exact to this, so a reconnect seldom costs a write. */
const SEEN_EVERY_MS = 5 * 60_000
const BATCH = { maxRunning: 1, maxKeys: 512 }

/** The sessions of all users, in the database. */
export class Sessions implements SessionGate {
  readonly #platform: Platform
  readonly #tickets: Tickets
  readonly #closer: SessionCloser
  readonly #now: () => number
  readonly #look: (sessionId: string) => Promise<SessionRow | undefined>
  readonly #touch: (sessionId: string) => Promise<unknown>

  constructor(platform: Platform, tickets: Tickets, closer: SessionCloser, now: () => number) {
    this.#platform = platform
    this.#tickets = tickets
    this.#closer = closer
    this.#now = now
    const { reserved } = platform.database
    this.#look = batched((ids) => sessionRows.byIds(reserved, ids), BATCH)
    this.#touch = batched(async (ids) => {
      await sessionRows.touch(reserved, ids, new Date(now()))
      return new Map<string, never>()
    }, BATCH)
  }

  async resume(sessionId: string, userId: string): Promise<SignedIn | null> {
    const row = await this.find(sessionId, userId)
    if (row && row.lastSeenAt.getTime() < this.#now() - SEEN_EVERY_MS) await this.#seen(sessionId)
    return row && toSignedIn(row)
  }

  async extend(sessionId: string, userId: string): Promise<SignedIn | null> {
    // An ended session is found here, and is then known to have ended.
    if ((await this.find(sessionId, userId)) === null) return null
    const now = this.#now()
    const { reserved } = this.#platform.database
    const expiresAt = new Date(now + SESSION_MS)
    const row = await sessionRows.extend(reserved, { id: sessionId, userId }, new Date(now), expiresAt)
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
    const user = await orUnavailable(sessionRows.redeem(this.#platform.database.reserved, used, session))
    if (!user) throw badTicket()
    return { user, sessionId: session.id, expiresAt: session.expiresAt.getTime() }
  }

  async end(sessionId: string, userId: string): Promise<void> {
    if (this.#closer.hasEnded(sessionId)) return
    const scope = { ...plainScope(this.#platform), sql: this.#platform.database.reserved }
    await orUnavailable(this.finish(scope, sessionId, userId, 'logout'))
  }

  /** Ends a session of this user; false when it is not theirs or has ended already. */
  async finish(scope: Scope, sessionId: string, userId: string, reason: SessionEnd['reason']): Promise<boolean> {
    const isEnded = await sessionRows.end(scope.sql, { id: sessionId, userId }, new Date(this.#now()))
    if (isEnded) scope.afterCommit(() => this.#closer.announce({ sessionId, userId, reason }))
    return isEnded
  }

  /** Ends all sessions of a user except one. */
  async finishOthers(scope: Scope, exceptId: string, userId: string): Promise<void> {
    const ended = await sessionRows.endOthers(scope.sql, { id: exceptId, userId }, new Date(this.#now()))
    scope.afterCommit(() => {
      for (const sessionId of ended) this.#closer.announce({ sessionId, userId, reason: 'revoked' })
    })
  }

  /** The session while it is open. All look-ups of one moment, as after a restart, share a query. */
  async find(sessionId: string, userId: string): Promise<SessionRow | null> {
    if (this.#closer.hasEnded(sessionId)) return null
    const row = await this.#look(sessionId)
    if (!row || row.endedAt) this.#closer.remember(sessionId)
    // The session may have ended since the row was read.
    if (!row || this.#closer.hasEnded(sessionId)) return null
    return row.user.id === userId && row.expiresAt.getTime() > this.#now() ? row : null
  }

  /** The open sessions of a user, newest first. */
  list(
    { sql }: Scope,
    { userId, currentId }: { readonly userId: string; readonly currentId: string | null },
    page: PageRequest,
  ): Promise<{ items: SessionInfo[]; nextCursor?: string }> {
    return readPage(page, {
      limit: 50,
      read: (rows) => sessionRows.list(sql, userId, new Date(this.#now()), rows),
      key: ({ createdAt, id }) => ({ at: createdAt.getTime(), id }),
      item: ({ id, createdAt, lastSeenAt, expiresAt, ...client }): SessionInfo => ({
        ...client,
        id: SessionId.parse(id),
        current: id === currentId,
        createdAt: createdAt.getTime(),
        lastSeenAt: lastSeenAt.getTime(),
        expiresAt: expiresAt.getTime(),
      }),
    })
  }

  /** Ends up to `limit` sessions that have expired. */
  async expire(scope: Scope, limit: number): Promise<void> {
    const expired = await sessionRows.expire(scope.sql, new Date(this.#now()), limit)
    scope.afterCommit(() => {
      for (const { id, userId } of expired) this.#closer.announce({ sessionId: id, userId, reason: 'expired' })
    })
  }

  /** Nobody is kept out because this write failed. */
  async #seen(sessionId: string): Promise<void> {
    try {
      await this.#touch(sessionId)
    } catch (error) {
      this.#platform.log.of('auth').debug({ err: error }, 'last_seen_at of a session could not be written')
    }
  }
}

function toSignedIn({ id, user, expiresAt }: SessionRow): SignedIn {
  return { user, sessionId: id, expiresAt: expiresAt.getTime() }
}

/** The transport does not know errors of the database, so it gets one of the protocol. */
async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!isUnavailable(error)) throw error
    throw new RpcError('UNAVAILABLE', 'The database does not answer', { retryAfterMs: 1000 })
  }
}

function badTicket(): RpcError {
  return new RpcError('UNAUTHENTICATED', 'This ticket is not valid any more; sign in again')
}
