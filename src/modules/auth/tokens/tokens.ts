import { randomUUID } from 'node:crypto'
import { type BatchedLookup, batched } from '../../../db/batched-lookup.ts'
import { statement } from '../../../db/sql.ts'
import type { TokenScope } from '../../../protocol/index.ts'
import { type Call, type CallerUser, RpcError, type TokenGate } from '../../../rpc/index.ts'
import { beforeTime, type PageRequest, readPage } from '../../pages.ts'
import type { Platform } from '../../platform.ts'
import type { Scope } from '../../scope.ts'
import { accounts, USER } from '../accounts.ts'
import { signedIn } from '../auth-parts.ts'
import { BAN, type Ban, forbidBanned } from '../bans.ts'
import type { SessionCloser } from '../sessions/closing-sockets.ts'
import { type NewToken, TokenId, type TokenInfo } from '../types.ts'
import { hashOfToken, newToken } from './token-text.ts'

/** Tokens that one user may have. */
export const MAX_TOKENS = 50
const DAY_MS = 24 * 60 * 60_000
/** `lastUsedAt` is written at most this often. */
const USED_EVERY_MS = 60_000
const BATCH = { maxRunning: 1, maxKeys: 512 }

interface HeldToken {
  /** In hexadecimal. */
  readonly hash: string
  readonly id: string
  readonly scopes: readonly TokenScope[]
  readonly lastUsedAt: Date | null
  readonly expiresAt: Date
  readonly endedAt: Date | null
  readonly user: CallerUser
  readonly ban: Ban | null
}

const BY_HASH = statement<HeldToken>(
  'tokens.byHash',
  `SELECT encode(hash, 'hex') AS hash, tokens.id, scopes, last_used_at AS "lastUsedAt", expires_at AS "expiresAt",
     ended_at AS "endedAt", ${USER}, ${BAN}
   FROM tokens JOIN users ON users.id = user_id
   WHERE hash IN (SELECT decode(asked, 'hex') FROM unnest($1::text[]) AS asked)`,
)

/** Values: ids, now, the time before which a use has to lie to be written over. Nodes do not wait for each other. */
const TOUCH = statement(
  'tokens.touch',
  `UPDATE tokens SET last_used_at = $2 WHERE id IN (
     SELECT id FROM tokens WHERE id = ANY ($1::text[]) AND (last_used_at IS NULL OR last_used_at < $3)
     FOR UPDATE SKIP LOCKED)`,
)

/** Values: id, user, hash, name, scopes, now, end, and how many the user may have. No row when there are so many. */
const INSERT = statement<{ readonly id: string }>(
  'tokens.insert',
  `INSERT INTO tokens (id, user_id, hash, name, scopes, created_at, expires_at)
   SELECT $1, $2, decode($3, 'hex'), $4, $5::text[], $6, $7
   WHERE (SELECT count(*) FROM tokens WHERE user_id = $2 AND ended_at IS NULL AND expires_at > $6) < $8
   RETURNING id`,
)

interface ListedToken extends Pick<HeldToken, 'id' | 'scopes' | 'lastUsedAt' | 'expiresAt'> {
  readonly name: string
  readonly createdAt: Date
}

/** Values: user, now, and the time and id of the last row of the page before, or null. */
const LIST = statement<ListedToken>(
  'tokens.list',
  `SELECT id, name, scopes, created_at AS "createdAt", last_used_at AS "lastUsedAt", expires_at AS "expiresAt"
   FROM tokens WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2
     AND (created_at, id) < ($3::timestamptz, $4)
   ORDER BY created_at DESC, id DESC LIMIT $5`,
)

const END = statement(
  'tokens.end',
  `UPDATE tokens SET ended_at = $3
   WHERE id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $3 RETURNING id`,
)

const EXPIRE = statement<{ readonly id: string; readonly userId: string }>(
  'tokens.expire',
  `UPDATE tokens SET ended_at = $1 WHERE id IN (
     SELECT id FROM tokens WHERE expires_at <= $1 AND ended_at IS NULL LIMIT $2 FOR UPDATE SKIP LOCKED)
   RETURNING id, user_id AS "userId"`,
)

/** The tokens of all users, in the database, for programs that act for them. What ends all sessions ends the tokens too. */
export class Tokens implements TokenGate {
  readonly #platform: Platform
  readonly #closer: SessionCloser
  readonly #now: () => number
  readonly #look: BatchedLookup<string, HeldToken>
  readonly #touch: (id: string) => Promise<unknown>

  constructor(platform: Platform, closer: SessionCloser, now: () => number) {
    this.#platform = platform
    this.#closer = closer
    this.#now = now
    const { reserved } = platform.database
    this.#look = batched(async (hashes) => {
      const rows = await reserved.rows(BY_HASH, [hashes])
      return new Map(rows.map((row) => [row.hash, row]))
    }, BATCH)
    this.#touch = batched(async (ids) => {
      await reserved.rows(TOUCH, [ids, new Date(now()), new Date(now() - USED_EVERY_MS)])
      return new Map<string, never>()
    }, BATCH)
  }

  /** Look-ups of tokens that wait for the database. */
  get queue() {
    return this.#look.queue
  }

  hashOf(token: string): string | null {
    return hashOfToken(token)
  }

  /** What cannot be a token costs no query. With a token nobody is an admin. @throws RpcError BANNED */
  async identify(token: string) {
    const hash = hashOfToken(token)
    const held = hash === null ? undefined : await this.#look(hash)
    if (!held) return null
    const now = this.#now()
    forbidBanned(held.ban, now)
    const { id, scopes, user, lastUsedAt } = held
    // It may have ended since the row was read.
    if (held.endedAt || held.expiresAt.getTime() <= now || this.#closer.hasEnded(id)) return null
    if (!lastUsedAt || lastUsedAt.getTime() < now - USED_EVERY_MS) {
      // Nobody is kept out because this write failed.
      await this.#touch(id).catch((error: unknown) => {
        this.#platform.log.of('auth').debug({ err: error }, 'last_used_at of a token could not be written')
      })
    }
    return { user: { ...user, role: 'player' as const }, token: { id, scopes } }
  }

  /** The only time that the token itself is known. @throws RpcError TOO_MANY_TOKENS; UNAUTHENTICATED when the session has ended */
  async create(scope: Scope, call: Call, { name, scopes, expiresInDays }: NewToken) {
    const { user, sessionId } = signedIn(call)
    // What ends the session at the same time waits for the lock, and then ends this token too.
    if (!(await accounts.lockSignedIn(scope.sql, user.id, sessionId))) {
      throw new RpcError('UNAUTHENTICATED', 'The session has ended')
    }
    const now = this.#now()
    const token = newToken()
    const ids = [randomUUID(), user.id, hashOfToken(token)]
    const times = [new Date(now), new Date(now + expiresInDays * DAY_MS)]
    const made = await scope.sql.first(INSERT, [...ids, name, [...new Set(scopes)], ...times, MAX_TOKENS])
    if (!made) throw new RpcError('TOO_MANY_TOKENS', `You have ${MAX_TOKENS} tokens. Revoke one first`)
    return { tokenId: TokenId.parse(made.id), token }
  }

  list({ sql }: Scope, userId: string, page: PageRequest) {
    return readPage(page, {
      limit: MAX_TOKENS,
      read: (rows) => sql.rows(LIST, [userId, new Date(this.#now()), ...beforeTime(rows), rows.take]),
      key: ({ createdAt, id }) => ({ rank: createdAt.getTime(), id }),
      item: ({ id, createdAt, lastUsedAt, expiresAt, name, scopes }): TokenInfo => ({
        id: TokenId.parse(id),
        name,
        scopes: [...scopes],
        createdAt: createdAt.getTime(),
        lastUsedAt: lastUsedAt?.getTime() ?? null,
        expiresAt: expiresAt.getTime(),
      }),
    })
  }

  /** Closes its sockets on every node with 4501. False when the user has no such token. */
  async revoke(scope: Scope, userId: string, id: string): Promise<boolean> {
    const isEnded = (await scope.sql.first(END, [id, userId, new Date(this.#now())])) !== null
    if (isEnded) scope.afterCommit(() => this.#closer.announce({ sessionId: id, userId, reason: 'revoked' }))
    return isEnded
  }

  /** Ends up to `limit` tokens that have expired. */
  async expire(scope: Scope, limit: number): Promise<void> {
    const expired = await scope.sql.rows(EXPIRE, [new Date(this.#now()), limit])
    scope.afterCommit(() => {
      for (const { id, userId } of expired) this.#closer.announce({ sessionId: id, userId, reason: 'expired' })
    })
  }
}
