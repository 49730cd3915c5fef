import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createCookies } from '../../src/server/session-cookie.ts'
import { createTestDatabase } from '../support/database.ts'
import { execute } from '../support/postgres.ts'
import { enter, register } from '../support/server.ts'
import { Fuzzer } from './fuzzer.ts'
import { Pools } from './plausible.ts'
import { Random } from './random.ts'
import { sendRawBytes } from './raw-bytes.ts'
import { startServerProcess, type Usage } from './server-process.ts'
import { Verdicts } from './verdicts.ts'

const FRAMES = 100_000
const CONNECTIONS = 300
const USERS = Array.from({ length: 8 }, (_, index) => `fuzz_${index}`)
/** The user of each socket; null for none. */
const SOCKETS = [...USERS, null, null, null, null]
const MiB = 1024 * 1024
/** Set it to repeat the frames of a run. Ids that the server makes differ each time. */
const SEED = process.env.FUZZ_SEED === undefined ? randomBytes(4).readUInt32LE() : Number(process.env.FUZZ_SEED)

describe(`with FUZZ_SEED=${SEED}`, () => {
  test(`${FRAMES} mutated frames leave the server as it was`, { timeout: 180_000 }, async () => {
    await using database = await createTestDatabase()
    const cookieSecret = randomBytes(48).toString('base64')
    const server = await startServerProcess({
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
      LIMIT_UPGRADES_BURST: '1000000',
      LIMIT_REQUESTS_IN_FLIGHT: '256',
      LIMIT_SUBSCRIPTIONS: '64',
      LIMIT_SOCKETS_PER_IP: '10000',
      LIMIT_AUTH_PER_IP: '10000000',
      LIMIT_ACTIVE_MATCHES: '6',
      // This test looks for wrong answers, not for late ones.
      LIMIT_REQUEST_MS: '60000',
      DATABASE_CONNECT_TIMEOUT_MS: '30000',
      DATABASE_STATEMENT_TIMEOUT_MS: '30000',
      DATABASE_TRANSACTION_TIMEOUT_MS: '30000',
    })
    try {
      const ids = new Map<string, string>()
      for (const name of USERS) ids.set(name, (await register(server.url, name)).id)
      const cookies = createCookies(new TextEncoder().encode(cookieSecret), false)
      /** A new session each time: the frames end some of them. */
      const identityOf = async (username: string | null): Promise<string | null> => {
        const userId = username === null ? undefined : ids.get(username)
        if (userId === undefined) return null
        const id = randomUUID()
        const expiresAt = Date.now() + 3_600_000
        await execute(
          database.url,
          `INSERT INTO sessions (id, user_id, user_agent, ip, expires_at)
           VALUES ('${id}', '${userId}', 'fuzzer', '127.0.0.1', to_timestamp(${expiresAt / 1000}))`,
        )
        const header = cookies.session(userId, id, expiresAt)
        return header.slice(0, header.indexOf(';'))
      }

      const verdicts = new Verdicts()
      const pools = new Pools()
      for (const name of USERS) pools.add('username', name)
      const third = (part: number) =>
        Promise.all(
          SOCKETS.map((username, index) => {
            const seed = SEED + part * 1_000 + index
            const fuzzer = new Fuzzer({
              url: server.url,
              seed,
              pools,
              verdicts,
              identity: () => identityOf(username),
            })
            return fuzzer.run(Math.ceil(FRAMES / 3 / SOCKETS.length))
          }),
        )
      const usages: Usage[] = []
      const startedAt = Date.now()
      for (let part = 0; part < 3; part++) {
        await third(part)
        usages.push(await settled(server.usage))
      }
      const seconds = (Date.now() - startedAt) / 1000
      const random = new Random(SEED)
      const port = Number(new URL(server.url).port)
      for (let i = 0; i < CONNECTIONS; i += 10) {
        await Promise.all(Array.from({ length: 10 }, () => sendRawBytes(port, random)))
      }

      const frames = [...verdicts.kinds.values()].reduce((sum, count) => sum + count, 0)
      console.info(
        `${frames} frames in ${seconds} s\n`,
        Object.fromEntries(verdicts.kinds),
        Object.fromEntries(verdicts.answers),
        `closed: ${JSON.stringify(Object.fromEntries(verdicts.closings))}, frames received: ${verdicts.received}, upgrades refused: ${verdicts.refusals}`,
        `succeeded: ${[...verdicts.succeeded].sort().join(' ')}\n`,
        usages.map(({ heapUsed, rss }) => `heap ${mib(heapUsed)}, rss ${mib(rss)}`).join('; '),
      )
      expect(frames).toBeGreaterThanOrEqual(FRAMES)
      expect(verdicts.complaints).toEqual([])
      expect(server.errors).toEqual([])
      expect(server.exit).toBeNull()
      // The frames reached the handlers: many were accepted, and many were not.
      expect(verdicts.count('ok')).toBeGreaterThan(FRAMES / 10)
      for (const code of ['BAD_ENVELOPE', 'VALIDATION_FAILED', 'UNAUTHENTICATED', 'UNKNOWN_TYPE', 'NOT_FOUND']) {
        expect(verdicts.count(code), code).toBeGreaterThan(FRAMES / 500)
      }

      const [warm, , last] = usages
      if (!warm || !last) throw new Error('the memory was not measured')
      expect(mib(last.heapUsed - warm.heapUsed)).toBeLessThan(24)
      expect(mib(last.rss - warm.rss)).toBeLessThan(96)

      await playNormally(server.url)
      expect(server.errors).toEqual([])
      expect(await server.stop()).toBe(0)
    } catch (error) {
      const end = server.exit === null ? 'lives' : `has ended: ${JSON.stringify(server.exit)}`
      const errors = server.errors.slice(0, 20).map((line) => line.slice(0, 1_000))
      throw new Error(`The server ${end}. Its errors:\n${errors.join('\n')}`, { cause: error })
    } finally {
      await server.stop()
    }
  })
})

/** The memory once no request is under way. */
async function settled(usage: () => Promise<Usage>): Promise<Usage> {
  await expect.poll(async () => (await usage()).inFlight, { timeout: 30_000, interval: 100 }).toBe(0)
  return usage()
}

/** Registers, pings and plays a match against the bot, as any client does. */
async function playNormally(url: string): Promise<void> {
  const { client } = await enter(url, 'a_person')
  await using person = client
  expect(await person.call('rpc.ping')).toEqual({})
  // Otherwise the first seat is drawn, and a move out of turn has no effect.
  const own = { game: 'connect-four', mode: 'bot', options: { first: 0 } }
  const { id } = await person.call<{ id: string }>('matches.create', own)
  const updates = await person.subscribe<{ status: string }>('matches.onUpdate', { matchId: id })
  await updates.events.next(({ data }) => data.status === 'live', 10_000)
  const frames = await person.subscribe<unknown, { state: { discs: number } }>('live.onState', { matchId: id })
  for (let column = 0; column < 7; column++) {
    person.send(
      JSON.stringify({ type: 'live.input', data: { matchId: id, input: { column } }, eid: `${column}`, ts: 0 }),
    )
  }
  await frames.events.next(({ data }) => data.state.discs >= 2, 10_000)
}

function mib(bytes: number): number {
  return Math.round((bytes / MiB) * 10) / 10
}
