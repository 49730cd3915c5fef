import { afterEach, beforeEach, expect, test } from 'vitest'
import type { MemoryCluster } from '../../src/bus/memory.ts'
import { CONNECT_FOUR, create, follow, playConnectFour, startQuickRally } from '../matches/support.ts'
import { connect, within } from '../support/client.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { execute } from '../support/postgres.ts'
import { codeOf, redeem } from '../support/server.ts'
import { figure } from './figure.ts'

// The wall clocks of Rally and of Postgres jump together. Two nodes, so that each could take the other for dead.

const HOURS = 3_600_000
/** A node that is silent for this long is dead. The rest is for a busy machine. */
const LEASE_MS = 5_000
const COME_BACK_MS = 4_000
const COUNTDOWN_MS = 1_500
const PATIENT = { timeout: 10_000 }

const RealDate = Date
let aheadMs = 0

beforeEach(() => {
  aheadMs = 0
  const now = () => RealDate.now() + aheadMs
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  })
})
afterEach(() => {
  globalThis.Date = RealDate
})

/** Gives the database a `now()` of its own, which is found before that of Postgres. */
async function takeClock({ url, name }: TestDatabase): Promise<(ms: number) => Promise<void>> {
  await execute(url, 'CREATE SCHEMA clock')
  const setTo = (ms: number) =>
    execute(
      url,
      `CREATE OR REPLACE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE
       RETURN pg_catalog.now() + ${ms} * interval '1 millisecond'`,
    )
  await setTo(0)
  await execute(url, `ALTER DATABASE ${name} SET search_path = clock, pg_catalog, public`)
  return async (ms) => {
    await setTo(ms)
    aheadMs = ms
  }
}

test.each([
  ['forwards by six hours', 6 * HOURS],
  ['back by six hours', -6 * HOURS],
])(
  'a clock that jumps %s changes nothing that is under way',
  async (direction, ms) => {
    await using database = await createTestDatabase()
    const jump = await takeClock(database)
    const cluster: MemoryCluster = new Map()
    const times = { countdownMs: COUNTDOWN_MS, comeBackMs: COME_BACK_MS }
    await using a = await startQuickRally(times, { database, cluster })
    const { secrets } = a.config
    await using b = await startQuickRally(times, { database, cluster, config: { secrets } })
    const startedAt = performance.now()
    const [ada, ben, cem, dee] = await newcomers(a, 4)
    const elsewhere = await openSocket(b, ada.player)

    // A match of two, one of whom is away; one match on each node; one that counts down; a sign-in under way.
    const { id, code } = await create(ada.client, CONNECT_FOUR)
    await ben.client.call('matches.join', { code })
    const forfeit = await follow(cem.client, id)
    await forfeit.live()
    const local = { mode: 'local', ...CONNECT_FOUR }
    const onA = await follow(dee.client, (await create(dee.client, local)).id)
    const onB = await follow(elsewhere, (await create(elsewhere, local)).id)
    await Promise.all([onA.live(), onB.live()])
    await using signingIn = await connect(a.url)
    const { secret } = await signingIn.call<{ secret: string }>('auth.begin', { username: 'eve' })
    // Before that a new node takes no other one for dead.
    await expect.poll(() => performance.now() - startedAt, { timeout: 20_000 }).toBeGreaterThan(LEASE_MS + 1_500)
    const counting = await follow(cem.client, (await create(cem.client, local)).id)
    const countsSince = performance.now()
    await ben.drop()
    await forfeit.until(({ players }) => players[1]?.connected === false)
    const awaySince = performance.now()

    await jump(ms)
    await counting.live()
    const countdownMs = performance.now() - countsSince
    expect(await forfeit.over(COME_BACK_MS + 10_000)).toMatchObject({ endReason: 'forfeit', winnerSeat: 0 })
    const awayMs = performance.now() - awaySince
    // Each node has had the time to find the other one dead.
    await expect.poll(() => performance.now() - awaySince, { timeout: 20_000 }).toBeGreaterThan(LEASE_MS + 2_000)
    for (const follower of [onA, onB, counting]) expect(follower.catchUp()).toMatchObject({ status: 'live' })
    for (const { client } of [ada, cem, dee]) expect(await client.call('rpc.ping')).toEqual({})
    expect([a, b].map(({ app }) => app.platform.lease.isHeld)).toEqual([true, true])

    // A code and a ticket of the new time, an old session, and the end of one.
    const { token } = await signingIn.call<{ token: string }>('auth.verify', { code: codeOf(secret) })
    await using eve = await connect(b.url, { cookie: await redeem(a.url, token) })
    expect(eve.welcome.user?.username).toBe('eve')
    await ben.comeBack()
    expect(ben.client.welcome.user?.id).toBe(ben.player.id)
    await eve.call('auth.logout')
    expect(await within(eve.closed, 'the end of a session', 2_000)).toMatchObject({ code: 4501 })

    // Matches that began before and after the jump end with results.
    await playConnectFour([dee.client], onA.latest.id)
    await playConnectFour([elsewhere], onB.latest.id)
    for (const follower of [onA, onB])
      expect(await follower.over()).toMatchObject({ status: 'finished', winnerSeat: 0 })
    const later = await follow(dee.client, (await create(dee.client, local)).id)
    await later.live()
    expect(await newcomer(b)).toBeDefined()

    figure(`countdown of ${COUNTDOWN_MS} ms, clock ${direction}`, countdownMs, 'ms')
    figure(`time to come back of ${COME_BACK_MS} ms, clock ${direction}`, awayMs, 'ms')
    expect(countdownMs).toBeGreaterThan(COUNTDOWN_MS - 100)
    expect(awayMs).toBeGreaterThan(COME_BACK_MS - 500)
    await expect.poll(() => a.app.platform.engine.size, PATIENT).toBeGreaterThan(0)
  },
  90_000,
)
