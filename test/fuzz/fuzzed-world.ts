import { randomBytes, randomUUID } from 'node:crypto'
import { hashOfToken, newToken } from '../../src/modules/auth/tokens/token-text.ts'
import { tokenScopes } from '../../src/protocol/token-scopes.ts'
import { createCookies } from '../../src/server/session-cookie.ts'
import { createTestDatabase } from '../support/database.ts'
import { execute } from '../support/postgres.ts'
import { register } from '../support/server.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

const SESSION_MS = 3_600_000

/** Set it to repeat a run. Ids that the server makes differ each time. */
export const SEED = process.env.FUZZ_SEED === undefined ? randomBytes(4).readUInt32LE() : Number(process.env.FUZZ_SEED)

/** A server whose limits let fuzzers through, with users. */
export interface FuzzedWorld extends AsyncDisposable {
  readonly server: ServerProcess
  /** A header that proves this user, from a new session or token. Whoever was banned or removed is as at the start again. */
  identityOf(username: string, by?: Credential): Promise<Identity>
}

/** A token is for all scopes. */
type Credential = 'cookie' | 'bearer' | 'key'

/** One header by its name. */
export type Identity = Readonly<Record<string, string>>

/** The first user is an administrator. The second factor counts once they are registered. */
export async function startFuzzedWorld(
  users: readonly string[],
  { SECOND_FACTOR = 'none', ...environment }: Readonly<Record<string, string>> = {},
): Promise<FuzzedWorld> {
  const database = await createTestDatabase()
  const cookieSecret = randomBytes(48).toString('base64')
  const env = {
    DATABASE_URL: database.url,
    COOKIE_SECRET: cookieSecret,
    JWT_SECRET: randomBytes(48).toString('base64'),
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    LIMIT_REQUESTS_PER_SECOND: '1000000',
    LIMIT_REQUESTS_BURST: '1000000',
    LIMIT_INPUTS_PER_SECOND: '1000000',
    LIMIT_BYTES_PER_SECOND: '1000000000',
    LIMIT_ANONYMOUS_FRAME_BYTES: '65536',
    LIMIT_ANONYMOUS_READS: '9',
    LIMIT_UPGRADES_PER_SECOND: '1000000',
    LIMIT_UPGRADES_BURST: '1000000',
    LIMIT_REQUESTS_IN_FLIGHT: '256',
    LIMIT_SUBSCRIPTIONS: '64',
    LIMIT_SOCKETS_PER_IP: '10000',
    LIMIT_AUTH_PER_IP: '10000000',
    LIMIT_WRONG_CODES_PER_HOUR: '10000000',
    LIMIT_ACTIVE_MATCHES: '6',
    MATCH_COUNTDOWN_MS: '50',
    // Matches that are live at the end do not have to finish.
    DRAIN_SECONDS: '1',
    // The fuzzers look for wrong answers, not for late ones.
    LIMIT_REQUEST_MS: '60000',
    DATABASE_CONNECT_TIMEOUT_MS: '30000',
    DATABASE_STATEMENT_TIMEOUT_MS: '30000',
    DATABASE_TRANSACTION_TIMEOUT_MS: '30000',
    ...environment,
  }
  const cookies = createCookies(new TextEncoder().encode(cookieSecret), false)
  const ids = new Map<string, string>()
  let server = await startServerProcess(env)
  for (const username of users) ids.set(username, (await register(server.url, username)).id)
  if (SECOND_FACTOR !== 'none') {
    await server.stop()
    server = await startServerProcess({ ...env, SECOND_FACTOR })
  }
  const run = (sql: string) => execute(database.url, sql)
  await run('CREATE TABLE fuzzed_users AS SELECT * FROM users')
  await run(`UPDATE users SET role = 'admin', role_changed_at = now() WHERE username = '${users[0]}'`)
  return {
    server,
    async identityOf(username, by = 'cookie') {
      const userId = ids.get(username) ?? ''
      const id = randomUUID()
      const expiresAt = Date.now() + SESSION_MS
      const expires = `to_timestamp(${expiresAt / 1000})`
      // One transaction: the user cannot be removed in between.
      const asAtTheStart = `INSERT INTO users SELECT * FROM fuzzed_users WHERE id = '${userId}'
        ON CONFLICT (id) DO UPDATE SET banned_at = NULL, banned_until = NULL`
      if (by === 'cookie') {
        await run(`${asAtTheStart};
          INSERT INTO sessions (id, user_id, user_agent, ip, expires_at)
          VALUES ('${id}', '${userId}', 'fuzzer', '127.0.0.1', ${expires})`)
        const header = cookies.session(userId, id, expiresAt)
        return { Cookie: header.slice(0, header.indexOf(';')) }
      }
      const token = newToken()
      await run(`${asAtTheStart};
        INSERT INTO tokens (id, user_id, hash, name, scopes, expires_at)
        VALUES ('${id}', '${userId}', '\\x${hashOfToken(token)}', 'fuzzer', '{${tokenScopes.join()}}', ${expires})`)
      return by === 'bearer' ? { Authorization: `Bearer ${token}` } : { 'X-API-Key': token }
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      await database.drop()
    },
  }
}

/** Runs `fuzz`, and says what the server logged if it fails. */
export async function withErrorsOf(server: ServerProcess, fuzz: () => Promise<void>): Promise<void> {
  try {
    await fuzz()
  } catch (error) {
    const end = server.exit === null ? 'lives' : `has ended: ${JSON.stringify(server.exit)}`
    const errors = server.errors.slice(0, 20).map((line) => line.slice(0, 1_000))
    throw new Error(`The server ${end}. Its errors:\n${errors.join('\n')}`, { cause: error })
  }
}
