import { randomUUID } from 'node:crypto'
import type { Sealed } from '../../db/secret-encryption.ts'
import { type Sql, statement } from '../../db/sql.ts'
import { BAN, type Ban, isBannedAt } from './bans.ts'
import { hashRecoveryCode } from './recovery-codes.ts'
import type { User } from './types.ts'

/** A user, their authenticator, and their ban, whether it is over or not. */
export interface Account extends User {
  readonly totp: Sealed
  readonly ban: Ban | null
}

interface Row {
  readonly user: User
  readonly ban: Ban | null
  readonly totpKeyId: string
  readonly totpSecret: Buffer
}

/** The column "user": the part of an account that its user sees. */
export const USER = `json_build_object('id', users.id, 'username', users.username, 'displayName', users.display_name,
  'createdAt', (extract(epoch FROM users.created_at) * 1000)::bigint, 'role', users.role, 'authenticatorResetAt',
  (extract(epoch FROM users.authenticator_reset_at) * 1000)::bigint) AS "user"`
const COLUMNS = `${USER}, ${BAN}, totp_key_id AS "totpKeyId", totp_secret AS "totpSecret"`

const BY_NAME = statement<Row>('accounts.byName', `SELECT ${COLUMNS} FROM users WHERE username = $1`)
const BY_ID = statement<Row>('accounts.byId', `SELECT ${COLUMNS} FROM users WHERE id = $1`)

const ID_BY_NAME = statement<{ readonly id: string | null }>(
  'accounts.idByName',
  'SELECT users.id FROM (SELECT $1::text AS username) AS asked LEFT JOIN users USING (username)',
)

const INSERT = statement<{ readonly id: string }>(
  'accounts.insert',
  `WITH account AS (
     INSERT INTO users (id, username, display_name, totp_key_id, totp_secret, totp_last_step, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id
   ), codes AS (
     INSERT INTO recovery_codes (id, user_id, hash)
     SELECT code.id, account.id, code.hash FROM account, unnest($8::text[], $9::bytea[]) AS code (id, hash)
   )
   SELECT id FROM account`,
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
     UPDATE users SET totp_key_id = $2, totp_secret = $3, totp_last_step = $4
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
  `SELECT id FROM users WHERE id = $1 AND authenticator_reset_at IS NOT DISTINCT FROM $2::timestamptz
   FOR NO KEY UPDATE`,
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
  async idByName(sql: Sql, username: string): Promise<string | null> {
    return (await sql.first(ID_BY_NAME, [username]))?.id ?? null
  },

  async byId(sql: Sql, id: string): Promise<Account | null> {
    const row = await sql.first(BY_ID, [id])
    return row && toAccount(row)
  },

  /** `step`: of the code that proved the secret, which is used up. False, and nothing is written, when the name is taken. */
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

  /** Replaces the authenticator and all recovery codes. False, and nothing is written, when `totp` is in force already. */
  async replaceTotp(sql: Sql, userId: string, totp: Sealed, step: number, codes: readonly string[]): Promise<boolean> {
    const values = [userId, totp.keyId, totp.bytes, step, ...codeColumns(userId, codes)]
    return (await sql.first(REPLACE_TOTP, values)) !== null
  },

  /**
   * Until the transaction ends no other one changes the authenticator or the passkeys of this user. False when an admin has
   * reset the authenticator since `user` was read: no proof from before counts.
   */
  async lock(sql: Sql, { id, authenticatorResetAt }: Pick<User, 'id' | 'authenticatorResetAt'>): Promise<boolean> {
    const resetAt = authenticatorResetAt === null ? null : new Date(authenticatorResetAt)
    return (await sql.first(LOCK, [id, resetAt])) !== null
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

function toAccount({ user, ban, totpKeyId, totpSecret }: Row): Account {
  return { ...user, ban, totp: { keyId: totpKeyId, bytes: new Uint8Array(totpSecret) } }
}

/** The ids and the hashes of new recovery codes. */
function codeColumns(userId: string, codes: readonly string[]): [string[], Uint8Array[]] {
  return [codes.map(() => randomUUID()), codes.map((code) => hashRecoveryCode(userId, code))]
}
