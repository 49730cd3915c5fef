import { expect, test } from 'vitest'
import { statement } from '../../src/db/sql.ts'
import { register, startRally } from '../support/server.ts'

/** What a connection has counted is seen by others after this. It takes so long that each connection of the pool runs it. */
const FLUSH = statement('test.flush', 'SELECT pg_stat_force_next_flush(), pg_sleep(0.1)')
const DEADLOCKS = statement<{ deadlocks: number }>(
  'test.deadlocks',
  'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
)

test('the removal of an account and other writes of its user do not wait for each other', async () => {
  await using rally = await startRally()
  const { cookie } = await register(rally.url, 'ada')
  const headers = { 'Content-Type': 'application/json', Cookie: cookie }
  const write = async (type: string, data: object) => {
    const answer = await fetch(`${rally.url}/rpc/${type}`, { method: 'POST', headers, body: JSON.stringify(data) })
    return answer.status
  }
  const rename = (n: number) => write('users.updateProfile', { displayName: `Ada ${n}` })
  const renamed = Array.from({ length: 8 }, (_, n) => rename(n))
  const removed = write('users.remove', {})
  const renamedLater = Array.from({ length: 8 }, (_, n) => rename(n))
  expect(await removed).toBe(200)
  for (const status of await Promise.all([...renamed, ...renamedLater])) expect([200, 401]).toContain(status)
  const { sql } = rally.app.platform.database
  await Promise.all(Array.from({ length: 20 }, () => sql.rows(FLUSH)))
  expect(await sql.rows(DEADLOCKS)).toEqual([{ deadlocks: 0 }])
})
