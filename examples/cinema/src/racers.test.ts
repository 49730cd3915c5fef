import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { statement } from 'rally/server'
import { startCinema } from './server.ts'

const RACERS = 1_000
const SEATS = 100
/** Racers who ask at the same time. */
const AT_ONCE = 50
const DEADLINE_MS = 90_000

/** Values: ids of users, hashes of their tokens. A token is what a program signs in with. */
const MAKE_RACERS = statement(
  'racers.make',
  `WITH racers AS (
     INSERT INTO users (id, username, display_name, totp_key_id, totp_secret)
     SELECT id, id, id, 'none', '' FROM unnest($1::text[]) AS id RETURNING id)
   INSERT INTO tokens (id, user_id, hash, name, scopes, expires_at)
   SELECT id, id, decode(hash, 'hex'), 'racer', '{read,play}', now() + interval '1 day'
   FROM unnest($1::text[], $2::text[]) AS made (id, hash) JOIN racers USING (id)`,
)
const BOOKED = statement<{ seat: number; racer: string }>(
  'racers.booked',
  'SELECT seat, user_id AS racer FROM cinema_seats WHERE booked ORDER BY seat',
)

const dataDir = await mkdtemp(join(tmpdir(), 'cinema-'))
const limits = { requestsPerSecond: 100_000, requestsBurst: 100_000, upgradesPerSecond: 10_000, upgradesBurst: 10_000 }
const config = { dataDir, limits, logLevel: 'warn', drainMs: 0, drainGraceMs: 0 } as const
let rally = await startCinema({ ...config, port: 0 })
after(async () => {
  await rally.stop()
  await rm(dataDir, { recursive: true, force: true })
})

/** The answer of the server, or of the one after it: a write that is sent again with its key happens once. */
async function call(token: string, type: string, data: object): Promise<{ status: number; error?: string }> {
  const headers = { 'X-API-Key': token, 'Idempotency-Key': randomUUID(), 'Content-Type': 'application/json' }
  const until = performance.now() + DEADLINE_MS
  while (performance.now() < until) {
    const signal = AbortSignal.timeout(5_000)
    const request = { method: 'POST', headers, body: JSON.stringify(data), signal }
    const response = await fetch(`${rally.url}/rpc/${type}`, request).catch(() => null)
    if (response && response.status < 500 && response.status !== 429) {
      const { error } = (await response.json()) as { error?: string }
      return { status: response.status, ...(error && { error }) }
    }
    await response?.arrayBuffer()
    await sleep(50)
  }
  throw new Error(`${type} had no answer`)
}

test(`${RACERS} racers for ${SEATS} seats, across a restart: each seat is sold once`, {
  timeout: 180_000,
}, async () => {
  const racers = Array.from({ length: RACERS }, (_, i) => ({
    name: `racer_${i}`,
    token: `rally_${randomBytes(32).toString('base64url')}`,
  }))
  const hashes = racers.map(({ token }) => createHash('sha256').update(token).digest('hex'))
  await rally.platform.database.sql.rows(MAKE_RACERS, [racers.map(({ name }) => name), hashes])

  const sold = new Map<number, string>()
  /** Ten racers want the same seat. Every third one gives it back, and tries to take it again. */
  const race = async (index: number) => {
    const { name, token } = racers[index] ?? assert.fail()
    const seat = { showId: 'tonight', seat: 1 + Math.floor((index * SEATS) / RACERS) }
    if ((await call(token, 'cinema.hold', seat)).error) return
    if (index % 3 === 0) {
      await call(token, 'cinema.release', seat)
      if ((await call(token, 'cinema.hold', seat)).error) return
    }
    assert.deepEqual(await call(token, 'cinema.book', seat), { status: 200 })
    assert.equal(sold.has(seat.seat), false, `seat ${seat.seat} is sold twice`)
    sold.set(seat.seat, name)
  }
  let next = 0
  const racing = Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < RACERS) await race(next++)
    }),
  )
  while (sold.size < SEATS / 4) await sleep(5)
  await rally.stop()
  rally = await startCinema({ ...config, port: 0 })
  await racing

  const booked = await rally.platform.database.sql.rows(BOOKED)
  assert.deepEqual(
    booked,
    [...sold].sort(([a], [b]) => a - b).map(([seat, racer]) => ({ seat, racer })),
  )
  assert.equal(booked.length, SEATS)
})
