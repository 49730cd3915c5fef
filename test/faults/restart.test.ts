import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createClient } from '../../src/client/index.ts'
import type { Api } from '../../src/modules/index.ts'
import { execute } from '../support/postgres.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'

const CLIENTS = 2_000
/** Behind each address: as many as the default limits let in. */
const PER_ADDRESS = 32
const BACK_WITHIN_MS = 3_000

let server: ServerProcess
beforeAll(async () => {
  server = await startServerProcess()
  await execute(
    server.databaseUrl,
    `INSERT INTO users (id, username, display_name, totp_key_id, totp_secret)
     SELECT 'user-' || n, 'user_' || n, 'User ' || n, '1', ''::bytea FROM generate_series(0, ${CLIENTS - 1}) AS n`,
  )
  await execute(
    server.databaseUrl,
    `INSERT INTO sessions (id, user_id, user_agent, ip, expires_at)
     SELECT 'session-' || n, 'user-' || n, 'test', '127.0.0.1', now() + interval '1 hour'
     FROM generate_series(0, ${CLIENTS - 1}) AS n`,
  )
})
afterAll(() => server?.[Symbol.asyncDispose]())

test(`${CLIENTS} signed-in clients are back with their streams within 3 s of a restarted server being ready`, async () => {
  let opened = 0
  let healed = 0
  const errors: string[] = []
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, index) => {
      const cookie = await server.cookieOf(`user-${index}`, `session-${index}`)
      const localAddress = `127.1.0.${1 + Math.floor(index / PER_ADDRESS)}`
      const rally = createClient<Api>({
        url: server.url,
        createSocket: (url, protocol) =>
          new WebSocket(url, protocol, { headers: { cookie }, localAddress, perMessageDeflate: false }),
      })
      const listener = {
        next: () => undefined,
        healed: () => healed++,
        error: ({ code }: { code: string }) => errors.push(code),
        end: (reason: string) => errors.push(reason),
      }
      const first = (): void => {
        opened++
      }
      rally.auth.onSession({}, { ...listener, snapshot: first })
      rally.matches.onLobby({}, { ...listener, snapshot: first })
      return rally
    }),
  )
  try {
    await expect.poll(() => opened, { timeout: 30_000, interval: 50 }).toBe(2 * CLIENTS)
    await server.restart()
    const readyAt = performance.now()
    while (healed < 2 * CLIENTS && performance.now() - readyAt < 30_000) await sleep(10)
    const backMs = performance.now() - readyAt
    console.log({ healed, backMs: Math.round(backMs), cpuSeconds: await server.metric('process_cpu_seconds_total') })
    expect(healed).toBe(2 * CLIENTS)
    expect(errors).toEqual([])
    for (const { user } of clients) expect(user).not.toBeNull()
    expect(backMs).toBeLessThan(BACK_WITHIN_MS)
  } finally {
    for (const rally of clients) rally.close()
  }
})
