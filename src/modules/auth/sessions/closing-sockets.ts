import { z } from 'zod'
import type { BusMessage, BusSubscription } from '../../../bus/bus.ts'
import { statement } from '../../../db/sql.ts'
import { closeCodes, closeReason } from '../../../protocol/index.ts'
import { type Channel, channel, credentialOf, type Role } from '../../../rpc/index.ts'
import type { Platform } from '../../platform.ts'
import { BAN, type Ban, banText, isInForce } from '../bans.ts'
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

interface SessionState {
  readonly id: string
  readonly isEnded: boolean
  readonly isExpired: boolean
  readonly ban: Ban | null
}
const STATE = `ended_at IS NOT NULL AS "isEnded", coalesce(ended_at >= expires_at, false) AS "isExpired", ${BAN}`

/** Sessions and tokens that ended lately, and users whose role has changed: these rows have only an id and a role. */
const CHANGED_SINCE = statement<SessionState & { readonly role: Role | null }>(
  'sessions.changedSince',
  `SELECT sessions.id, ${STATE}, NULL::"UserRole" AS role FROM sessions JOIN users ON users.id = user_id WHERE ended_at > $1
   UNION ALL SELECT tokens.id, ${STATE}, NULL::"UserRole" FROM tokens JOIN users ON users.id = user_id WHERE ended_at > $1
   UNION ALL SELECT id, false, false, NULL, role FROM users WHERE role_changed_at > $1 LIMIT $2`,
)

const AMONG = statement<SessionState & { readonly userId: string; readonly role: Role }>(
  'sessions.among',
  `SELECT sessions.id, ${STATE}, user_id AS "userId", role FROM sessions JOIN users ON users.id = user_id
   WHERE sessions.id = ANY ($1)
   UNION ALL SELECT tokens.id, ${STATE}, user_id, role FROM tokens JOIN users ON users.id = user_id
   WHERE tokens.id = ANY ($1)`,
)

const TOPIC = 'auth.sessions'
/** `sessionId` is the id of a session or of a token. */
const Ended = SessionEnd.extend({ sessionId: z.string(), userId: z.string() })
type Ended = z.infer<typeof Ended>
const RoleChanged = z.object({ userId: z.string(), role: z.enum(['player', 'admin']) })
type RoleChanged = z.infer<typeof RoleChanged>

/** The row of a session does not tell why it ended. */
type Closing = Omit<Ended, 'reason'> & { readonly reason: Ended['reason'] | 'ended' }

/** The stream of `auth.onSession`: its only event is the end of the session. */
export function sessionChannel(sessionId: string): Channel<SessionEnd> {
  return channel<SessionEnd>('auth.onSession', sessionId)
}
export const sessionSeq = { open: 0, ended: 1 } as const

/**
 * Closes the sockets of this node whose session or token has ended on any node, or whose user has another role now. A session
 * here is either of both: their ids are random, and so never the same. The bus reports an end at once. It may lose messages, so the node also asks the database: twice a second for what changed lately; and every
 * 30 s, or when the bus has lost messages, for every session with an open socket.
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
    const onMessage = ({ payload }: BusMessage) => {
      const told = z.union([Ended, RoleChanged]).safeParse(JSON.parse(Buffer.from(payload).toString()))
      if (!told.success) return
      if ('role' in told.data) this.#closeOtherRoles(new Map([[told.data.userId, told.data.role]]))
      else {
        // A banned user's cookie is looked up, so that they are told of the ban.
        if (told.data.reason !== 'banned') this.remember(told.data.sessionId)
        this.#close(told.data)
      }
    }
    this.#subscription = this.#platform.bus.subscribe(TOPIC, onMessage, () => {
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
    const { sessionId, userId: _, ...end } = ended
    hub.publish(sessionChannel(sessionId), sessionSeq.ended, end)
    bus.publish(TOPIC, { seq: 0, payload: JSON.stringify(ended) })
    if (ended.reason === 'banned') this.#close(ended)
  }

  /** Closes the sockets that a user has with another role, here and on all nodes. To be called after the commit. */
  announceRole(changed: RoleChanged): void {
    this.#closeOtherRoles(new Map([[changed.userId, changed.role]]))
    this.#platform.bus.publish(TOPIC, { seq: 0, payload: JSON.stringify(changed) })
  }

  /** Closes what has changed since the last look that succeeded. One query, unless a check is due. */
  async look(): Promise<void> {
    const { connections, database } = this.#platform
    const now = this.#now()
    // Without a signed-in socket there is nothing to close. A later socket has its own look-up of its session.
    if (connections.users().next().done !== true) {
      const since = new Date(Math.min(this.#lookedAt, now) - this.#overlapMs)
      const rows = await database.reserved.rows(CHANGED_SINCE, [since, MAX_ENDED + 1])
      if (rows.length > MAX_ENDED || this.#looksUntilCheck <= 0) await this.#check()
      else {
        this.#closeAmong(rows)
        this.#closeOtherRoles(new Map(rows.flatMap(({ id, role }) => (role === null ? [] : [[id, role]]))))
      }
    }
    this.#lookedAt = now
    this.#looksUntilCheck--
  }

  /** Looks up every session with an open socket. */
  async #check(): Promise<void> {
    const { connections, database } = this.#platform
    const open = [...new Set([...connections].flatMap(({ caller }) => credentialOf(caller) ?? []))]
    for (let start = 0; start < open.length; start += CHECK_BATCH) {
      const ids = open.slice(start, start + CHECK_BATCH)
      const rows = await database.reserved.rows(AMONG, [ids])
      const known = new Set(rows.map(({ id }) => id))
      const gone = ids.filter((id) => !known.has(id)).map((id) => ({ id, isEnded: true, isExpired: false, ban: null }))
      this.#closeAmong([...rows, ...gone])
      this.#closeOtherRoles(new Map(rows.map(({ userId, role }) => [userId, role])))
    }
    this.#looksUntilCheck = CHECK_EVERY_LOOKS
  }

  #closeAmong(states: readonly SessionState[]): void {
    const ended = new Map(states.flatMap((state) => (state.isEnded ? [[state.id, state]] : [])))
    if (ended.size === 0) return
    for (const { caller } of this.#platform.connections) {
      const { user } = caller
      const sessionId = credentialOf(caller)
      const state = sessionId === null ? undefined : ended.get(sessionId)
      // The bus may have told of it already, with the true reason.
      if (sessionId === null || !user || !state || this.#closing.has(sessionId)) continue
      const { ban, isExpired } = state
      const end = isInForce(ban, this.#now())
        ? ({ reason: 'banned', message: banText(ban) } as const)
        : ({ reason: isExpired ? 'expired' : 'ended' } as const)
      this.#close({ sessionId, userId: user.id, ...end })
    }
  }

  #closeOtherRoles(roles: ReadonlyMap<string, Role>): void {
    if (roles.size === 0) return
    for (const connection of [...this.#platform.connections]) {
      const { user, token } = connection.caller
      // With a token nobody is an admin, whatever the role.
      const role = user && !token ? roles.get(user.id) : undefined
      if (role !== undefined && role !== user?.role) connection.close(closeCodes.roleChanged, 'the role has changed')
    }
  }

  #close(ended: Closing): void {
    if (ended.reason === 'banned') {
      // At once: no further frame is accepted.
      const reason = closeReason(ended.message ?? ended.reason)
      this.#platform.connections.closeCredential(ended.userId, ended.sessionId, closeCodes.banned, reason)
      return
    }
    this.#closing.set(ended.sessionId, ended)
    this.#timer ??= setTimeout(() => this.#closeNow(), CLOSE_AFTER_MS)
  }

  #closeNow(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const closing = this.#closing
    this.#closing = new Map()
    for (const { userId, sessionId, reason } of closing.values()) {
      this.#platform.connections.closeCredential(userId, sessionId, closeCodes.sessionEnded, reason)
    }
  }
}
