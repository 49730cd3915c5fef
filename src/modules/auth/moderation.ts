import { statement } from '../../db/sql.ts'
import type { Role } from '../../rpc/index.ts'
import type { Scope } from '../scope.ts'
import { accounts } from './accounts.ts'
import type { AuthParts } from './auth-parts.ts'
import { type Ban, banText } from './bans.ts'
import { passkeys } from './passkeys/stored-passkeys.ts'
import { newRecoveryCode } from './recovery-codes.ts'
import type { SessionCloser } from './sessions/closing-sockets.ts'
import { newSecret } from './totp/codes.ts'

interface Moderated {
  readonly id: string
  readonly username: string
}

/** Values: user, since when, until when, reason. */
const BAN_USER = statement<Moderated>(
  'moderation.ban',
  'UPDATE users SET banned_at = $2, banned_until = $3, ban_reason = $4 WHERE id = $1 RETURNING id, username',
)

const UNBAN_USER = statement<Pick<Moderated, 'id'>>(
  'moderation.unban',
  `UPDATE users SET banned_at = NULL, banned_until = NULL, ban_reason = NULL
   WHERE id = $1 AND banned_at IS NOT NULL RETURNING id`,
)

/** Values: user, role, now. */
const SET_ROLE = statement<Pick<Moderated, 'id'>>(
  'moderation.setRole',
  'UPDATE users SET role = $2::"UserRole", role_changed_at = $3 WHERE id = $1 AND role <> $2::"UserRole" RETURNING id',
)

/** Values: user, now. */
const NOTE_RESET = statement('moderation.noteReset', 'UPDATE users SET authenticator_reset_at = $2 WHERE id = $1')

/** What admins do to accounts. Who may do it, and the audit log, are the caller's concern. All of it in one transaction. */
export class Moderation {
  readonly #parts: AuthParts
  readonly #closer: SessionCloser

  constructor(parts: AuthParts, closer: SessionCloser) {
    this.#parts = parts
    this.#closer = closer
  }

  /** Ends all sessions, and closes their sockets with 4503. A ban replaces the one before. Null without such a user. */
  async ban(scope: Scope, userId: string, ban: Ban): Promise<Moderated | null> {
    const until = ban.until === null ? null : new Date(ban.until)
    const values = [userId, new Date(this.#parts.now()), until, ban.reason]
    const user = await scope.sql.first(BAN_USER, values)
    if (user) await this.#parts.sessions.finishAll(scope, userId, { reason: 'banned', message: banText(ban) })
    return user
  }

  /** False when there is no ban to lift. */
  async unban({ sql }: Scope, userId: string): Promise<boolean> {
    return (await sql.first(UNBAN_USER, [userId])) !== null
  }

  /** The user's sockets are closed with 4001, and come back with the new role. False when the user has it already. */
  async setRole(scope: Scope, userId: string, role: Role): Promise<boolean> {
    const changed = await scope.sql.first(SET_ROLE, [userId, role, new Date(this.#parts.now())])
    if (changed) scope.afterCommit(() => this.#closer.announceRole({ userId, role }))
    return changed !== null
  }

  /** Answers how many sessions were open. Who has just signed in, but has no session yet, has to sign in again. */
  async endSessions(scope: Scope, userId: string): Promise<number> {
    await accounts.cancelSignIns(scope.sql, userId)
    return this.#parts.sessions.finishAll(scope, userId, { reason: 'revoked' })
  }

  /**
   * Nothing that the user had lets anybody in any more: authenticator, passkeys, recovery codes and sessions. The answer is
   * a new recovery code, good for one sign-in, after which the user sets up a new authenticator. Null without such a user.
   */
  async resetAuthenticator(scope: Scope, userId: string): Promise<string | null> {
    const { box, now, sessions } = this.#parts
    const recoveryCode = newRecoveryCode()
    // Nobody ever knows this secret.
    const totp = box.seal(newSecret(), userId)
    if (!(await accounts.replaceTotp(scope.sql, userId, totp, 0, [recoveryCode]))) return null
    await scope.sql.rows(NOTE_RESET, [userId, new Date(now())])
    await passkeys.removeAll(scope.sql, userId)
    await sessions.finishAll(scope, userId, { reason: 'reset' })
    return recoveryCode
  }
}
