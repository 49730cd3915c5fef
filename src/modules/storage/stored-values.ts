import { type Sql, statement } from '../../db/sql.ts'
import { RpcError } from '../../rpc/index.ts'
import type { PageRows } from '../pages.ts'
import { MAX_KEYS, MAX_VALUE_BYTES, type StorageVisibility, type StoredEntry, type StoredValue } from './types.ts'

const ms = (column: string) => `floor(extract(epoch FROM ${column}) * 1000)::int8`
const COLUMNS = `key, version, visibility, bytes, ${ms('created_at')} AS "createdAt", ${ms('updated_at')} AS "updatedAt"`

/** Values: user, key, value, bytes, visibility or null for the former one, the version that it must have or null. */
const UPDATE = statement<StoredEntry>(
  'storage.update',
  `UPDATE stored_values SET value = $3, bytes = $4, visibility = coalesce($5::"StorageVisibility", visibility),
     version = version + 1, updated_at = now()
   WHERE user_id = $1 AND key = $2 AND ($6::int IS NULL OR version = $6) RETURNING ${COLUMNS}`,
)
/** New keys of a user are counted one after another. */
const LOCK = statement('storage.lock', `SELECT pg_advisory_xact_lock(hashtextextended('storage ' || $1, 0))`)
const COUNT = statement<{ keys: number; version: number | null }>(
  'storage.count',
  `SELECT count(*) AS keys, max(version) FILTER (WHERE key = $2) AS version FROM stored_values WHERE user_id = $1`,
)
const INSERT = statement<StoredEntry>(
  'storage.insert',
  `INSERT INTO stored_values (user_id, key, value, bytes, visibility)
   VALUES ($1, $2, $3, $4, coalesce($5::"StorageVisibility", 'private')) RETURNING ${COLUMNS}`,
)

export interface NewValue {
  readonly key: string
  readonly value: unknown
  /** The version that the value must have now: 0 for none. */
  readonly version?: number | undefined
  readonly visibility?: StorageVisibility | undefined
}

/**
 * Stores a value, in a transaction.
 * @throws RpcError VALUE_TOO_LARGE, TOO_MANY_KEYS; CONFLICT where the version is another
 */
export async function putValue(sql: Sql, userId: string, { key, value, version, visibility }: NewValue) {
  const json = JSON.stringify(value)
  const bytes = Buffer.byteLength(json)
  if (bytes > MAX_VALUE_BYTES) {
    throw new RpcError('VALUE_TOO_LARGE', `The value has ${bytes} bytes of JSON; ${MAX_VALUE_BYTES} are allowed`)
  }
  const values = [userId, key, json, bytes, visibility ?? null]
  const update = () => sql.first(UPDATE, [...values, version ?? null])
  const updated = await update()
  if (updated) return updated
  await sql.rows(LOCK, [userId])
  const { keys, version: current } = (await sql.first(COUNT, [userId, key])) ?? { keys: 0, version: null }
  if (current === null) {
    if (version) throw conflict(0)
    if (keys >= MAX_KEYS) throw new RpcError('TOO_MANY_KEYS', `A user has at most ${MAX_KEYS} keys`)
    const inserted = await sql.first(INSERT, values)
    if (!inserted) throw new Error('the value was not stored')
    return inserted
  }
  // The key was new a moment ago: somebody else has stored it first.
  const overwritten = await update()
  if (!overwritten) throw conflict(current)
  return overwritten
}

const conflict = (version: number) =>
  new RpcError('CONFLICT', `The value has version ${version}`, { issues: [{ path: 'version', message: `${version}` }] })

interface Found extends StoredEntry {
  readonly json: string
}

const GET_OWN = statement<Found>(
  'storage.getOwn',
  `SELECT ${COLUMNS}, value AS json FROM stored_values WHERE user_id = $1 AND key = $2`,
)
const GET_PUBLIC = statement<Found>(
  'storage.getPublic',
  `SELECT ${COLUMNS}, value AS json FROM stored_values
   WHERE user_id = (SELECT id FROM users WHERE username = $1) AND visibility = 'public' AND key = $2`,
)

const withValue = (found: Found | null): StoredValue | null => {
  if (!found) return null
  const { json, ...entry } = found
  return { ...entry, value: JSON.parse(json) }
}

/** A value of the user. */
export async function getOwnValue(sql: Sql, userId: string, key: string): Promise<StoredValue | null> {
  return withValue(await sql.first(GET_OWN, [userId, key]))
}

/** A public value of another user. */
export async function getPublicValue(sql: Sql, username: string, key: string): Promise<StoredValue | null> {
  return withValue(await sql.first(GET_PUBLIC, [username, key]))
}

const LIST = statement<StoredEntry & { id: string }>(
  'storage.list',
  `SELECT id::text, ${COLUMNS} FROM stored_values
   WHERE user_id = $1 AND starts_with(key, $2) AND (created_at, id) < ($3::timestamptz, $4::int8)
   ORDER BY created_at DESC, id DESC LIMIT $5`,
)
const LAST_ID = '9223372036854775807'

/** Values of the user whose keys begin with `prefix`, the newest key first. @throws RpcError VALIDATION_FAILED */
export function listValues(sql: Sql, userId: string, prefix: string, { after, take }: PageRows) {
  if (after && !/^\d{1,18}$/.test(after.id)) throw new RpcError('VALIDATION_FAILED', 'The cursor is of another list')
  return sql.rows(LIST, [userId, prefix, after?.at ?? 'infinity', after?.id ?? LAST_ID, take])
}

const REMOVE = statement<{ version: number }>(
  'storage.remove',
  'DELETE FROM stored_values WHERE user_id = $1 AND key = $2 RETURNING version',
)

/** Deletes a value; false where there is none. */
export async function removeValue(sql: Sql, userId: string, key: string): Promise<boolean> {
  return (await sql.first(REMOVE, [userId, key])) !== null
}

const ALL = statement<Found>(
  'storage.all',
  `SELECT ${COLUMNS}, value AS json FROM stored_values WHERE user_id = $1 ORDER BY key`,
)

/** Everything that is stored for a user. */
export async function allValues(sql: Sql, userId: string): Promise<StoredValue[]> {
  return (await sql.rows(ALL, [userId])).flatMap((found) => withValue(found) ?? [])
}
