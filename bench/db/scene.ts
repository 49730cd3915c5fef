import { randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import { readConfig } from '../../src/config.ts'
import { createCookies } from '../../src/server/session-cookie.ts'

const HOUR_MS = 3_600_000
const plenty = '10000000'

export interface User {
  readonly id: string
  /** The `Cookie` header of a browser where the user is signed in. */
  readonly cookie: string
}

/** The environment of a server in production whose limits nobody reaches, but for those of methods. */
export function productionOn(databaseUrl: string, dataDir: string): Record<string, string> {
  const secret = () => randomBytes(32).toString('base64')
  return {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: '0',
    PUBLIC_URL: 'https://rally.example',
    DATABASE_URL: databaseUrl,
    DATA_DIR: dataDir,
    JWT_SECRET: secret(),
    COOKIE_SECRET: secret(),
    ENCRYPTION_KEY: secret(),
    LOG_LEVEL: 'warn',
    TRUSTED_PROXY_HOPS: '1',
    DRAIN_GRACE_MS: '0',
    MATCH_EMPTY_MS: String(HOUR_MS),
    MATCH_MAX_WAIT_MS: String(HOUR_MS),
    LIMIT_ACTIVE_MATCHES: '1000',
    LIMIT_REQUESTS_PER_SECOND: plenty,
    LIMIT_REQUESTS_BURST: plenty,
    LIMIT_BYTES_PER_SECOND: plenty,
    LIMIT_BYTES_BURST: plenty,
    LIMIT_UPGRADES_PER_SECOND: plenty,
    LIMIT_UPGRADES_BURST: plenty,
    LIMIT_SOCKETS_PER_IP: plenty,
    LIMIT_CONNECTIONS: plenty,
  }
}

/** Puts users with an open session into the database. */
export async function createUsers(env: Record<string, string>, count: number): Promise<User[]> {
  const cookies = createCookies(readConfig(env).secrets.cookie, true)
  const users = Array.from({ length: count }, () => ({ id: randomUUID(), sessionId: randomUUID() }))
  const expiresAt = new Date(Date.now() + 10 * HOUR_MS)
  await query(
    env,
    `INSERT INTO users (id, username, display_name, totp_key_id, totp_secret)
     SELECT id, 'p' || left(md5(id), 18), 'p' || left(md5(id), 18), 'none', '' FROM unnest($1::text[]) AS id`,
    [users.map(({ id }) => id)],
  )
  await query(
    env,
    `INSERT INTO sessions (id, user_id, user_agent, ip, expires_at)
     SELECT id, user_id, 'bench', '127.0.0.1', $3 FROM unnest($1::text[], $2::text[]) AS session (id, user_id)`,
    [users.map(({ sessionId }) => sessionId), users.map(({ id }) => id), expiresAt],
  )
  return Promise.all(
    users.map(async ({ id, sessionId }) => {
      const setCookie = cookies.session(id, sessionId, expiresAt.getTime())
      return { id, cookie: setCookie.split(';')[0] ?? '' }
    }),
  )
}

/** Puts public matches into the database that wait for a second player; gives their ids. */
export async function createMatches(env: Record<string, string>, hosts: readonly User[]): Promise<string[]> {
  const ids = hosts.map(() => randomUUID())
  await query(
    env,
    `INSERT INTO matches (id, game, mode, visibility, code, options, seed, rules_version, created_by)
     SELECT id, 'pong', 'casual', 'public', upper(left(md5(id), 6)), '{"pointsToWin": 11}', 1, 1, host
     FROM unnest($1::text[], $2::text[]) AS match (id, host)`,
    [ids, hosts.map(({ id }) => id)],
  )
  await query(
    env,
    `INSERT INTO seats (match_id, seat, user_id, display_name)
     SELECT match.id, 0, users.id, users.display_name
     FROM unnest($1::text[], $2::text[]) AS match (id, host) JOIN users ON users.id = host`,
    [ids, hosts.map(({ id }) => id)],
  )
  await query(env, 'VACUUM ANALYZE', [])
  return ids
}

async function query(env: Record<string, string>, text: string, values: unknown[]): Promise<void> {
  const client = new pg.Client({ connectionString: env.DATABASE_URL ?? '' })
  await client.connect()
  await client.query(text, values)
  await client.end()
}
