import { randomUUID } from 'node:crypto'
import { type Sql, statement } from '../../../db/sql.ts'
import { PasskeyId, type PasskeyInfo } from '../types.ts'

/** Passkeys that one user may have. */
export const MAX_PASSKEYS = 10

/** A credential that an authenticator has just made. */
export interface NewCredential {
  readonly credentialId: Uint8Array
  /** In the COSE format. */
  readonly publicKey: Uint8Array
  readonly signCount: number
  readonly transports: readonly string[]
  readonly backupEligible: boolean
}

export interface StoredPasskey extends NewCredential {
  readonly id: string
  readonly userId: string
  readonly name: string
  readonly createdAt: Date
  readonly lastUsedAt: Date | null
}

const COLUMNS = `id, user_id AS "userId", credential_id AS "credentialId", public_key AS "publicKey",
  sign_count AS "signCount", string_to_array(transports, ',') AS "transports", backup_eligible AS "backupEligible",
  name, created_at AS "createdAt", last_used_at AS "lastUsedAt"`

const OF_USER = statement<StoredPasskey>(
  'passkeys.ofUser',
  `SELECT ${COLUMNS} FROM passkeys WHERE user_id = $1 ORDER BY created_at, id`,
)

const INSERT = statement<StoredPasskey>(
  'passkeys.insert',
  `INSERT INTO passkeys (id, user_id, credential_id, public_key, sign_count, transports, backup_eligible, name, created_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (credential_id) DO NOTHING RETURNING ${COLUMNS}`,
)

// WebAuthn, 7.2, step 22: a counter that does not grow may mean that the passkey was cloned.
const USE = statement(
  'passkeys.use',
  `UPDATE passkeys SET sign_count = $3, last_used_at = $4
   WHERE id = $1 AND user_id = $2 AND (sign_count < $3 OR (sign_count = 0 AND $3 = 0)) RETURNING id`,
)

const RENAME = statement<StoredPasskey>(
  'passkeys.rename',
  `UPDATE passkeys SET name = $3 WHERE id = $1 AND user_id = $2 RETURNING ${COLUMNS}`,
)

const REMOVE = statement('passkeys.remove', 'DELETE FROM passkeys WHERE id = $1 AND user_id = $2 RETURNING id')
const REMOVE_ALL = statement('passkeys.removeAll', 'DELETE FROM passkeys WHERE user_id = $1 RETURNING id')

/** The passkeys of users in the database. */
export const passkeys = {
  /** Oldest first. */
  ofUser(sql: Sql, userId: string): Promise<StoredPasskey[]> {
    return sql.rows(OF_USER, [userId])
  },

  /** Null, and nothing is written, when the credential belongs to an account already. */
  insert(sql: Sql, userId: string, credential: NewCredential, name: string, now: Date): Promise<StoredPasskey | null> {
    const { credentialId, publicKey, signCount, transports, backupEligible } = credential
    const ids = [randomUUID(), userId, credentialId, publicKey]
    return sql.first(INSERT, [...ids, signCount, transports.join(','), backupEligible, name, now])
  },

  /** Notes a signature. False when the counter has not grown, or the passkey was removed. */
  async use(sql: Sql, { id, userId }: StoredPasskey, signCount: number, now: Date): Promise<boolean> {
    return (await sql.first(USE, [id, userId, signCount, now])) !== null
  },

  /** Null when the user has no such passkey. */
  rename(sql: Sql, userId: string, id: string, name: string): Promise<StoredPasskey | null> {
    return sql.first(RENAME, [id, userId, name])
  },

  /** Sessions that it began are ended apart. */
  async remove(sql: Sql, userId: string, id: string): Promise<void> {
    await sql.rows(REMOVE, [id, userId])
  },

  /** For an account whose passkeys are lost: its next sign-in makes a new one. Gives how many there were. */
  async removeAll(sql: Sql, userId: string): Promise<number> {
    return (await sql.rows(REMOVE_ALL, [userId])).length
  },
}

/** The part of a passkey that its user sees. */
export function toPasskeyInfo({ id, name, backupEligible, createdAt, lastUsedAt }: StoredPasskey): PasskeyInfo {
  return {
    id: PasskeyId.parse(id),
    name,
    synced: backupEligible,
    createdAt: createdAt.getTime(),
    lastUsedAt: lastUsedAt?.getTime() ?? null,
  }
}
