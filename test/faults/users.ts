import { connect, type TestClient } from '../support/client.ts'
import { execute } from '../support/postgres.ts'
import type { ServerProcess } from './server-process.ts'

/** As many sockets behind each address as the default limits let in. */
const PER_ADDRESS = 32

export interface User {
  readonly id: string
  /** Signs them in, on every node with the same secrets. */
  readonly cookie: string
  /** Where they come from: one of 127.0.0.0/8. */
  readonly address: string
}

/** Writes `user-0`, `user-1` and so on, and `session-0` and so on, which last an hour. `databaseUrl` has to lead to Postgres at once. */
export async function insertUsers(databaseUrl: string, count: number): Promise<void> {
  await execute(
    databaseUrl,
    `INSERT INTO users (id, username, display_name, totp_key_id, totp_secret)
     SELECT 'user-' || n, 'user_' || n, 'User ' || n, '1', ''::bytea FROM generate_series(0, ${count - 1}) AS n`,
  )
  await execute(
    databaseUrl,
    `INSERT INTO sessions (id, user_id, user_agent, ip, expires_at)
     SELECT 'session-' || n, 'user-' || n, 'test', '127.0.0.1', now() + interval '1 hour'
     FROM generate_series(0, ${count - 1}) AS n`,
  )
}

/** Users with a session each, without the work of a sign-in. `databaseUrl` has to lead to Postgres at once. */
export async function makeUsers(
  server: ServerProcess,
  count: number,
  databaseUrl = server.databaseUrl,
): Promise<User[]> {
  await insertUsers(databaseUrl, count)
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const group = Math.floor(index / PER_ADDRESS)
      const address = `127.1.${group >> 7}.${1 + (group & 127)}`
      return { id: `user-${index}`, cookie: await server.cookieOf(`user-${index}`, `session-${index}`), address }
    }),
  )
}

export function openAs(url: string, { cookie, address }: User): Promise<TestClient> {
  return connect(url, { cookie, localAddress: address, deadlineMs: 15_000 })
}
