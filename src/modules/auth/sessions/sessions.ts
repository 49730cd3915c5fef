import { randomUUID } from 'node:crypto'
import { type BatchedLookup, batched } from '../../../db/batched-lookup.ts'
import { isUnavailable } from '../../../db/retry.ts'
import { statement } from '../../../db/sql.ts'
import { type Caller, type CallerUser, RpcError, type SessionGate, type SignedIn } from '../../../rpc/index.ts'
import { beforeTime, type PageRequest, readPage } from '../../pages.ts'
import type { Platform } from '../../platform.ts'
import { plainScope, type Scope } from '../../scope.ts'
import { SessionId } from '../../wire.ts'
import { type SigningIn, USER } from '../accounts.ts'
import { BAN, type Ban, forbidBanned, isInForce } from '../bans.ts'
import type { SessionEnd, SessionInfo } from '../types.ts'
import type { SessionCloser } from './closing-sockets.ts'
import { redeem } from './redeem.ts'
import { Tickets } from './tickets.ts'

/** How long a session lasts, from its beginning or its last renewal. A cookie past half of its life is renewed. */
const SESSION_MS = 30 * 24 * 60 * 60_000
/** `lastSeenAt` is exact to this, so a reconnect seldom costs a write. */
const SEEN_EVERY_MS = 5 * 60_000
const BATCH = { maxRunning: 1, maxKeys: 512 }

/** A session, whether it has ended or not, and its user. */
interface SessionRow {
  readonly id: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly endedAt: Date | null
  readonly user: CallerUser
  readonly ban: Ban | null
}

const TIMES = `sessions.created_at AS "createdAt", sessions.last_seen_at AS "lastSeenAt",
  sessions.expires_at AS "expiresAt"`
const COLUMNS = `sessions.id, ${TIMES}, sessions.ended_at AS "endedAt", ${USER}, ${BAN}`

const BY_ID = statement<SessionRow>(
  'sessions.byId',
  `SELECT ${COLUMNS} FROM sessions JOIN users ON users.id = sessions.user_id WHERE sessions.id = ANY ($1::text[])`,
)

const LIST = statement<
  Omit<SessionRow, 'endedAt' | 'user' | 'ban'> & { readonly userAgent: string; readonly ip: string }
>(
  'sessions.list',
  `SELECT id, user_agent AS "userAgent", ip, ${TIMES} FROM sessions
   WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2
     AND (created_at, id) < ($3::timestamptz, $4)
   ORDER BY created_at DESC, id DESC LIMIT $5`,
)

// Two nodes may see the same sessions at once: neither waits for the other.
const TOUCH = statement(
  'sessions.touch',
  `UPDATE sessions SET last_seen_at = $2 WHERE id IN (
     SELECT id FROM sessions WHERE id = ANY ($1::text[]) FOR UPDATE SKIP LOCKED)`,
)

const EXTEND = statement<SessionRow>(
  'sessions.extend',
  `UPDATE sessions SET expires_at = $4, last_seen_at = $3
   FROM users WHERE users.id = sessions.user_id
     AND sessions.id = $1 AND sessions.user_id = $2 AND sessions.ended_at IS NULL AND sessions.expires_at > $3
   RETURNING ${COLUMNS}`,
)

const END = statement(
  'sessions.end',
  `UPDATE sessions SET ended_at = $3
   WHERE id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $3 RETURNING id`,
)

/** Values: a session that stays, or null; user, now; a passkey that began the sessions, or null. */
const END_OTHERS = statement<{ readonly id: string; readonly isToken: boolean }>(
  'sessions.endOthers',
  `WITH ended_sessions AS (
     UPDATE sessions SET ended_at = $3
     WHERE id IS DISTINCT FROM $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $3
       AND ($4::text IS NULL OR passkey_id = $4) RETURNING id
   ), ended_tokens AS (
     UPDATE tokens SET ended_at = $3
     WHERE $4::text IS NULL AND user_id = $2 AND ended_at IS NULL AND expires_at > $3 RETURNING id
   )
   SELECT id, false AS "isToken" FROM ended_sessions UNION ALL SELECT id, true FROM ended_tokens`,
)

const EXPIRE = statement<{ readonly id: string; readonly userId: string }>(
  'sessions.expire',
  `UPDATE sessions SET ended_at = $1 WHERE id IN (
     SELECT id FROM sessions WHERE expires_at <= $1 AND ended_at IS NULL LIMIT $2 FOR UPDATE SKIP LOCKED)
   RETURNING id, user_id AS "userId"`,
)

/** The sessions of all users, in the database. A session is open while it has neither ended nor expired. */
export class Sessions implements SessionGate {
  readonly #platform: Platform
  readonly #tickets: Tickets
  readonly #closer: SessionCloser
  readonly #now: () => number
  readonly #look: BatchedLookup<string, SessionRow>
  readonly #touch: (sessionId: string) => Promise<unknown>

  /** @throws Error when the key for tickets is too short */
  constructor(platform: Platform, closer: SessionCloser, now: () => number) {
    this.#platform = platform
    this.#tickets = new Tickets(platform.config.secrets.ticket, now)
    this.#closer = closer
    this.#now = now
    const { reserved } = platform.database
    this.#look = batched(async (ids) => {
      const rows = await reserved.rows(BY_ID, [ids])
      return new Map(rows.map((row) => [row.id, row]))
    }, BATCH)
    this.#touch = batched(async (ids) => {
      await reserved.rows(TOUCH, [ids, new Date(now())])
      return new Map<string, never>()
    }, BATCH)
  }

  /** Look-ups of sessions that wait for the database. */
  get queue() {
    return this.#look.queue
  }

  async resume(sessionId: string, userId: string): Promise<SignedIn | null> {
    const row = await this.#findUnbanned(sessionId, userId)
    if (row && row.lastSeenAt.getTime() < this.#now() - SEEN_EVERY_MS) {
      // Nobody is kept out because this write failed.
      await this.#touch(sessionId).catch((error: unknown) => {
        this.#platform.log.of('auth').debug({ err: error }, 'last_seen_at of a session could not be written')
      })
    }
    return row && toSignedIn(row)
  }

  async extend(sessionId: string, userId: string): Promise<SignedIn | null> {
    // An ended session is found here, and is then known to have ended.
    if ((await this.#findUnbanned(sessionId, userId)) === null) return null
    const now = this.#now()
    const values = [sessionId, userId, new Date(now), new Date(now + SESSION_MS)]
    const row = await this.#platform.database.reserved.first(EXTEND, values)
    return row && toSignedIn(row)
  }

  /** A ticket that `redeem` exchanges for a session. Where passkeys are asked for it must name the one that took part. */
  issueTicket(user: Pick<SigningIn, 'id' | 'signInVersion'>, passkeyId?: string): string {
    return this.#tickets.issue(user, passkeyId)
  }

  async redeem(token: string, from: Pick<Caller, 'ip' | 'userAgent'>): Promise<SignedIn> {
    const now = this.#now()
    const { config, database } = this.#platform
    const ticket = this.#tickets.read(token)
    if (!ticket || (config.secondFactor === 'passkey' && ticket.passkeyId === undefined)) throw badTicket()
    const { userId, passkeyId } = ticket
    const sessionId = randomUUID()
    const expiresAt = now + SESSION_MS
    const userAgent = from.userAgent.slice(0, 200).toWellFormed()
    const session = [sessionId, from.ip, userAgent, new Date(now), new Date(expiresAt)]
    const values = [ticket.id, ticket.endsAt, userId, ...session, ticket.signInVersion]
    const row = await orUnavailable(redeem(database.reserved, values, passkeyId))
    if (!row) throw badTicket()
    return { user: row.user, sessionId, expiresAt }
  }

  async end(sessionId: string, userId: string): Promise<void> {
    if (this.#closer.hasEnded(sessionId)) return
    const scope = { ...plainScope(this.#platform), sql: this.#platform.database.reserved }
    await orUnavailable(this.finish(scope, sessionId, userId, 'logout'))
  }

  /** Ends a session of this user; false when it is not theirs or has ended already. */
  async finish(scope: Scope, sessionId: string, userId: string, reason: SessionEnd['reason']): Promise<boolean> {
    const isEnded = (await scope.sql.first(END, [sessionId, userId, new Date(this.#now())])) !== null
    if (isEnded) scope.afterCommit(() => this.#closer.announce({ sessionId, userId, reason }))
    return isEnded
  }

  /**
   * Ends the user's sessions but `exceptId`, and their tokens. With `passkeyId` only the sessions that this passkey began, and no
   * token. Answers how many sessions.
   */
  async finishAll(
    scope: Scope,
    userId: string,
    end: SessionEnd,
    { exceptId, passkeyId }: { readonly exceptId?: string; readonly passkeyId?: string } = {},
  ): Promise<number> {
    const values = [exceptId ?? null, userId, new Date(this.#now()), passkeyId ?? null]
    const ended = await scope.sql.rows(END_OTHERS, values)
    scope.afterCommit(() => {
      for (const { id: sessionId } of ended) this.#closer.announce({ ...end, sessionId, userId })
    })
    return ended.filter(({ isToken }) => !isToken).length
  }

  /** The session while it is open and its user not banned. */
  async find(sessionId: string, userId: string): Promise<SessionRow | null> {
    const row = await this.#read(sessionId, userId)
    return row && this.#isOpen(row) && !isInForce(row.ban, this.#now()) ? row : null
  }

  /** As `find`. @throws RpcError BANNED, also when the ban has ended the session */
  async #findUnbanned(sessionId: string, userId: string): Promise<SessionRow | null> {
    const row = await this.#read(sessionId, userId)
    if (row) forbidBanned(row.ban, this.#now())
    return row && this.#isOpen(row) ? row : null
  }

  /** A session of this user. All look-ups of one moment, as after a restart, share a query. */
  async #read(sessionId: string, userId: string): Promise<SessionRow | null> {
    if (this.#closer.hasEnded(sessionId)) return null
    const row = await this.#look(sessionId)
    // The cookie of a banned user is looked up each time, so that they are told why they may not come in.
    if (!row || (row.endedAt && !isInForce(row.ban, this.#now()))) this.#closer.remember(sessionId)
    return row?.user.id === userId ? row : null
  }

  #isOpen({ id, endedAt, expiresAt }: SessionRow): boolean {
    // It may have ended since the row was read.
    return endedAt === null && !this.#closer.hasEnded(id) && expiresAt.getTime() > this.#now()
  }

  list({ sql }: Scope, userId: string, currentId: string | null, page: PageRequest) {
    return readPage(page, {
      limit: 50,
      read: (rows) => sql.rows(LIST, [userId, new Date(this.#now()), ...beforeTime(rows), rows.take]),
      key: ({ createdAt, id }) => ({ rank: createdAt.getTime(), id }),
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
    const expired = await scope.sql.rows(EXPIRE, [new Date(this.#now()), limit])
    scope.afterCommit(() => {
      for (const { id, userId } of expired) this.#closer.announce({ sessionId: id, userId, reason: 'expired' })
    })
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
