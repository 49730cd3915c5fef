import { msOf, type Sql, statement } from '../../db/sql.ts'
import { RpcError } from '../../rpc/index.ts'
import { type PageRequest, readPage } from '../pages.ts'
import {
  MAX_KEYS,
  MAX_TOTAL_BYTES,
  MAX_VALUE_BYTES,
  type StorageVisibility,
  type StoredEntry,
  type StoredValue,
} from './types.ts'

const COLUMNS = `key, version, visibility, bytes, ${msOf('created_at')} AS "createdAt", ${msOf('updated_at')} AS "updatedAt"`

/** What is stored for one user changes in one transaction at a time. */
const LOCK = statement('storage.lock', `SELECT pg_advisory_xact_lock(hashtextextended('storage ' || $1, 0))`)

/** How many other keys the user has and how many bytes they take, and the version of this key. Values: user, key. */
const LOOK = statement<{ otherKeys: number; otherBytes: number; version: number }>(
  'storage.look',
  `SELECT count(*) FILTER (WHERE key <> $2) AS "otherKeys", coalesce(sum(bytes) FILTER (WHERE key <> $2), 0)::int8 AS "otherBytes",
     coalesce(max(version) FILTER (WHERE key = $2), 0) AS version
   FROM stored_values WHERE user_id = $1`,
)

/** Values: user, key, value, bytes, visibility or null for the former one. */
const PUT = statement<StoredEntry>(
  'storage.put',
  `INSERT INTO stored_values AS kept (user_id, key, value, bytes, visibility)
   VALUES ($1, $2, $3, $4, coalesce($5::"StorageVisibility", 'private'))
   ON CONFLICT (user_id, key) DO UPDATE SET value = EXCLUDED.value, bytes = EXCLUDED.bytes,
     visibility = coalesce($5::"StorageVisibility", kept.visibility), version = kept.version + 1, updated_at = now()
   RETURNING ${COLUMNS}`,
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
 * @throws RpcError VALUE_TOO_LARGE, TOO_MANY_KEYS, STORAGE_FULL; VERSION_CHANGED, with the current one as the issue `version`
 */
export async function putValue(sql: Sql, userId: string, { key, value, version, visibility }: NewValue) {
  const json = JSON.stringify(value)
  const bytes = Buffer.byteLength(json)
  if (bytes > MAX_VALUE_BYTES) {
    throw new RpcError('VALUE_TOO_LARGE', `The value has ${bytes} bytes of JSON; ${MAX_VALUE_BYTES} are allowed`)
  }
  const [, kept] = await Promise.all([sql.rows(LOCK, [userId]), sql.first(LOOK, [userId, key])])
  if (!kept) throw new Error('a query that always has a row gave none')
  if (version !== undefined && version !== kept.version) {
    const issues = [{ path: 'version', message: `${kept.version}` }]
    throw new RpcError('VERSION_CHANGED', `The value has version ${kept.version}`, { issues })
  }
  if (kept.otherKeys >= MAX_KEYS) throw new RpcError('TOO_MANY_KEYS', `A user has at most ${MAX_KEYS} keys`)
  if (kept.otherBytes + bytes > MAX_TOTAL_BYTES) {
    throw new RpcError('STORAGE_FULL', `The values of a user have at most ${MAX_TOTAL_BYTES} bytes together`)
  }
  const stored = await sql.first(PUT, [userId, key, json, bytes, visibility ?? null])
  if (!stored) throw new Error('the value was not stored')
  return stored
}

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

/** Values of the user whose keys begin with `prefix`, the newest key first. */
export function listValues(sql: Sql, userId: string, page: PageRequest & { readonly prefix: string }) {
  return readPage(page, {
    ids: /^\d{1,18}$/,
    read: ({ after, take }) => {
      const [time, id] = after ? [new Date(after.rank), after.id] : ['infinity', LAST_ID]
      return sql.rows(LIST, [userId, page.prefix, time, id, take])
    },
    key: ({ createdAt, id }) => ({ rank: createdAt, id }),
    item: ({ id: _id, ...entry }): StoredEntry => entry,
  })
}

const REMOVE = statement<{ version: number }>(
  'storage.remove',
  'DELETE FROM stored_values WHERE user_id = $1 AND key = $2 RETURNING version',
)

/** Deletes a value, in a transaction; false where there is none. */
export async function removeValue(sql: Sql, userId: string, key: string): Promise<boolean> {
  const [, removed] = await Promise.all([sql.rows(LOCK, [userId]), sql.first(REMOVE, [userId, key])])
  return removed !== null
}

const ALL = statement<Found>(
  'storage.all',
  `SELECT ${COLUMNS}, value AS json FROM stored_values WHERE user_id = $1 ORDER BY key`,
)

/** Everything that is stored for a user. */
export async function allValues(sql: Sql, userId: string): Promise<StoredValue[]> {
  return (await sql.rows(ALL, [userId])).flatMap((found) => withValue(found) ?? [])
}
