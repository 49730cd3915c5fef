import { randomUUID } from 'node:crypto'
import type { Sealed } from '../../db/secret-encryption.ts'
import { msOf, type Sql, statement } from '../../db/sql.ts'
import { BAN, type Ban, isBannedAt } from './bans.ts'
import { hashRecoveryCode } from './recovery-codes.ts'
import type { User } from './types.ts'

/** A user who has proved a part of what a sign-in asks for. It counts while `signInVersion` is that of the user's row. */
export interface SigningIn extends User {
  readonly signInVersion: number
}

/** A user, their authenticator, and their ban, whether it is over or not. */
export interface Account extends SigningIn {
  readonly totp: Sealed
  readonly ban: Ban | null
}

interface Row {
  readonly user: User
  readonly ban: Ban | null
  readonly signInVersion: number
  readonly totpKeyId: string
  readonly totpSecret: Buffer
}

/** The column "user": the part of an account that its user sees. */
export const USER = `json_build_object('id', users.id, 'username', users.username, 'displayName', users.display_name,
  'createdAt', ${msOf('users.created_at')}, 'role', users.role, 'authenticatorResetAt',
  ${msOf('users.authenticator_reset_at')}) AS "user"`
const COLUMNS = `${USER}, ${BAN}, sign_in_version AS "signInVersion", totp_key_id AS "totpKeyId", totp_secret AS "totpSecret"`

const BY_NAME = statement<Row>('accounts.byName', `SELECT ${COLUMNS} FROM users WHERE username = $1`)
const BY_ID = statement<Row>('accounts.byId', `SELECT ${COLUMNS} FROM users WHERE id = $1`)

const ID_BY_NAME = statement<{ readonly id: string; readonly signInVersion: number } | { readonly id: null }>(
  'accounts.idByName',
  `SELECT users.id, sign_in_version AS "signInVersion"
   FROM (SELECT $1::text AS username) AS asked LEFT JOIN users USING (username)`,
)

const INSERT = statement<{ readonly id: string }>(
  'accounts.insert',
  `WITH account AS (
     INSERT INTO users (id, username, display_name, totp_key_id, totp_secret, totp_last_step, created_at)
     SELECT $1, $2, $3, $4, $5, $6, $7
     WHERE NOT EXISTS (SELECT FROM reserved_names WHERE username = $2 AND until > $7)
     ON CONFLICT DO NOTHING RETURNING id
   ), codes AS (
     INSERT INTO recovery_codes (id, user_id, hash)
     SELECT code.id, account.id, code.hash FROM account, unnest($8::text[], $9::bytea[]) AS code (id, hash)
   )
   SELECT id FROM account`,
)

const RESERVED = statement<{ readonly username: string }>(
  'accounts.reserved',
  'SELECT username FROM reserved_names WHERE username = $1 AND until > $2',
)

const SPEND_STEP = statement<{ readonly id: string }>(
  'accounts.spendStep',
  'UPDATE users SET totp_last_step = $2 WHERE id = $1 AND totp_last_step < $2 RETURNING id',
)

// A banned user keeps the code.
const SPEND_RECOVERY_CODE = statement<{ readonly id: string }>(
  'accounts.spendRecoveryCode',
  `UPDATE recovery_codes SET used_at = CASE WHEN ${isBannedAt('$3')} THEN NULL ELSE $3 END FROM users
   WHERE users.id = user_id AND user_id = $1 AND hash = $2 AND used_at IS NULL RETURNING recovery_codes.id`,
)

const REPLACE_TOTP = statement<{ readonly id: string }>(
  'accounts.replaceTotp',
  `WITH account AS (
     UPDATE users SET totp_key_id = $2, totp_secret = $3, totp_last_step = $4, sign_in_version = sign_in_version + 1
     WHERE id = $1 AND totp_secret <> $3 RETURNING id
   ), gone AS (
     DELETE FROM recovery_codes USING account WHERE user_id = account.id
   ), codes AS (
     INSERT INTO recovery_codes (id, user_id, hash)
     SELECT code.id, account.id, code.hash FROM account, unnest($5::text[], $6::bytea[]) AS code (id, hash)
   )
   SELECT id FROM account`,
)

const LOCK = statement<{ readonly id: string }>(
  'accounts.lock',
  'SELECT id FROM users WHERE id = $1 AND sign_in_version = $2 FOR NO KEY UPDATE',
)

// The session's row is locked too: if its end was written while this statement waited, there is no row.
const LOCK_SIGNED_IN = statement<{ readonly id: string }>(
  'accounts.lockSignedIn',
  `SELECT users.id FROM users JOIN sessions ON sessions.user_id = users.id
   WHERE users.id = $1 AND sessions.id = $2 AND ended_at IS NULL FOR NO KEY UPDATE OF users, sessions`,
)

/** Its transaction deletes the user: a weaker lock would wait then for writes of the user that wait for it. */
const LOCK_SIGNED_IN_TO_DELETE = statement<{ readonly id: string }>(
  'accounts.lockSignedInToDelete',
  `SELECT users.id FROM users JOIN sessions ON sessions.user_id = users.id
   WHERE users.id = $1 AND sessions.id = $2 AND ended_at IS NULL FOR UPDATE OF users FOR NO KEY UPDATE OF sessions`,
)

const CANCEL_SIGN_INS = statement<{ readonly signInVersion: number }>(
  'accounts.cancelSignIns',
  'UPDATE users SET sign_in_version = sign_in_version + 1 WHERE id = $1 RETURNING sign_in_version AS "signInVersion"',
)

const RESEAL = statement(
  'accounts.reseal',
  'UPDATE users SET totp_key_id = $4, totp_secret = $5 WHERE id = $1 AND totp_key_id = $2 AND totp_secret = $3',
)

/** Users, their authenticator and their recovery codes in the database. */
export const accounts = {
  async byName(sql: Sql, username: string): Promise<Account | null> {
    const row = await sql.first(BY_NAME, [username])
    return row && toAccount(row)
  },

  /** The statement returns one row whether the name has an account or not, so both cost the same. */
  async idByName(sql: Sql, username: string): Promise<(Pick<SigningIn, 'signInVersion'> & { id: string }) | null> {
    const found = await sql.first(ID_BY_NAME, [username])
    return found?.id ? found : null
  },

  async byId(sql: Sql, id: string): Promise<Account | null> {
    const row = await sql.first(BY_ID, [id])
    return row && toAccount(row)
  },

  /** Whether it is the name of an account that was removed a while ago. */
  async isReserved(sql: Sql, username: string, now: Date): Promise<boolean> {
    return (await sql.first(RESERVED, [username, now])) !== null
  },

  /** `step`: of the code that proved the secret, which is used up. False, and nothing is written, when the name is taken or reserved. */
  async insert(sql: Sql, account: Account, step: number, recoveryCodes: readonly string[]): Promise<boolean> {
    const { id, username, displayName, totp, createdAt } = account
    const values = [id, username, displayName, totp.keyId, totp.bytes, step, new Date(createdAt)]
    return (await sql.first(INSERT, [...values, ...codeColumns(id, recoveryCodes)])) !== null
  },

  /** Marks the codes up to `step` as used; false when they were used before. Null, a wrong code, costs the same statement. */
  async spendStep(sql: Sql, userId: string, step: number | null): Promise<boolean> {
    return (await sql.first(SPEND_STEP, [userId, step ?? -1])) !== null
  },

  /** Uses a recovery code, if the user is not banned. False when it is not one of this user's, or was used before. */
  async spendRecoveryCode(sql: Sql, userId: string, code: string, now: Date): Promise<boolean> {
    return (await sql.first(SPEND_RECOVERY_CODE, [userId, hashRecoveryCode(userId, code), now])) !== null
  },

  /** Replaces the authenticator and all recovery codes, and cancels sign-ins. False, and nothing is written, when `totp` is in force already. */
  async replaceTotp(sql: Sql, userId: string, totp: Sealed, step: number, codes: readonly string[]): Promise<boolean> {
    const values = [userId, totp.keyId, totp.bytes, step, ...codeColumns(userId, codes)]
    return (await sql.first(REPLACE_TOTP, values)) !== null
  },

  /**
   * Until the transaction ends no other one changes the authenticator or the passkeys of this user. False when what the user
   * has proved counts no more.
   */
  async lock(sql: Sql, { id, signInVersion }: Pick<SigningIn, 'id' | 'signInVersion'>): Promise<boolean> {
    return (await sql.first(LOCK, [id, signInVersion])) !== null
  },

  /** As `lock`, for a signed-in user. False when the session has ended. */
  async lockSignedIn(sql: Sql, userId: string, sessionId: string): Promise<boolean> {
    return (await sql.first(LOCK_SIGNED_IN, [userId, sessionId])) !== null
  },

  /** As `lockSignedIn`, for a transaction that deletes the user. */
  async lockSignedInToDelete(sql: Sql, userId: string, sessionId: string): Promise<boolean> {
    return (await sql.first(LOCK_SIGNED_IN_TO_DELETE, [userId, sessionId])) !== null
  },

  /**
   * No ticket and no half-finished sign-in from before counts any more. The row stays locked as by `lock`, so a ticket that is
   * redeemed at the same time has made its session before, or makes none. Answers the new version; null without such a user.
   */
  async cancelSignIns(sql: Sql, userId: string): Promise<number | null> {
    return (await sql.first(CANCEL_SIGN_INS, [userId]))?.signInVersion ?? null
  },

  /** Stores the same secret encrypted with another key, unless it was replaced since `from` was read. */
  async reseal(sql: Sql, userId: string, from: Sealed, to: Sealed): Promise<void> {
    await sql.rows(RESEAL, [userId, from.keyId, from.bytes, to.keyId, to.bytes])
  },
}

/** The part of an account that its user sees. */
export function toUser({ id, username, displayName, createdAt, role, authenticatorResetAt }: User): User {
  return { id, username, displayName, createdAt, role, authenticatorResetAt }
}

function toAccount({ user, ban, signInVersion, totpKeyId, totpSecret }: Row): Account {
  return { ...user, ban, signInVersion, totp: { keyId: totpKeyId, bytes: new Uint8Array(totpSecret) } }
}

/** The ids and the hashes of new recovery codes. */
function codeColumns(userId: string, codes: readonly string[]): [string[], Uint8Array[]] {
  return [codes.map(() => randomUUID()), codes.map((code) => hashRecoveryCode(userId, code))]
}
