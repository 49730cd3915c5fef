import { describe, expect, vi } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { type Sql, statement } from '../../src/db/sql.ts'
import { AttemptCounters, type AttemptRule, type Budget } from '../../src/modules/auth/limits/attempt-counters.ts'
import { deviceRule, Lockouts } from '../../src/modules/auth/limits/lockouts.ts'
import type { Caller } from '../../src/rpc/index.ts'
import { type Clock, freshName, recorded, test } from './harness.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

test.beforeEach(async ({ database }) => {
  await database.db.attempt.deleteMany()
})

function guarding(database: Database, { now }: Clock, guessesPerHour = 200) {
  const onExhausted = vi.fn<(retryAfterMs: number) => void>()
  const attempts = new AttemptCounters(database.reserved, { now, elapsed: now })
  const guard = new Lockouts(attempts, { perAddress: 100, guessesPerHour }, onExhausted)
  const from = (ip: string): Caller => ({ user: null, sessionId: null, token: null, ip, userAgent: '', device: null })
  /** A wrong code: whether it was looked at. */
  const guess = async (ip: string, username: string, device: Caller['device'] = null): Promise<boolean> => {
    try {
      await guard.forCode({ ...from(ip), device }, { userId: `id-of-${username}`, username }).take()
      return true
    } catch (error) {
      expect(error).toMatchObject({ code: 'RATE_LIMITED' })
      return false
    }
  }
  return { guard, guess, from, onExhausted }
}

/** Addresses of as many networks as are asked for. */
function addresses(): () => string {
  let count = 0
  return () => {
    count++
    return `${10 + (count >> 16)}.${(count >> 8) & 255}.${count & 255}.1`
  }
}

describe('wrong codes', () => {
  test('at one name, always from new networks: 480 a day are checked', async ({ database, clock }) => {
    const { guess } = guarding(database, clock, 1_000_000)
    const [username, next] = [freshName(), addresses()]
    const end = clock.ms + DAY
    let looked = 0
    // As fast as it is let: two networks would do for each lock, and each comes with a single code.
    while (clock.ms < end) {
      while (await guess(next(), username)) looked++
      clock.advance(MINUTE)
    }
    expect(looked).toBe(480)
  })

  test('at any names: as many as the installation allows in an hour', async ({ database, clock }) => {
    const { guess, guard, from, onExhausted } = guarding(database, clock, 20)
    const next = addresses()
    for (const hour of [1, 2]) {
      let looked = 0
      for (let count = 0; count < 30; count++) if (await guess(next(), freshName())) looked++
      expect(looked).toBe(20)
      expect(onExhausted).toHaveBeenCalledTimes(10 * hour)
      clock.advance(HOUR)
    }
    await guess(next(), freshName())
    for (let count = 0; count < 20; count++) await guess(next(), freshName())
    expect(await guess(next(), freshName())).toBe(false)
    // The owners' own ways in stay open.
    const username = freshName()
    expect(await guess(next(), username, { id: 'known', users: [`id-of-${username}`] })).toBe(true)
    await guard.forRecovery(from(next()), username).take()
    await guard.fromAddress(from(next())).take()
  })

  test('from one address: 20 an hour; from one /48: 40', async ({ database, clock }) => {
    const { guess } = guarding(database, clock)
    const looked = async (address: (index: number) => string) => {
      let count = 0
      for (let index = 0; index < 50; index++) if (await guess(address(index), freshName())) count++
      return count
    }
    expect(await looked(() => '203.0.113.5')).toBe(20)
    expect(await looked((index) => `2001:db8:0:1::${index}`)).toBe(20)
    expect(await looked((index) => `2001:db8:1:${index + 1}::1`)).toBe(40)
    clock.advance(HOUR)
    expect(await guess('203.0.113.5', freshName())).toBe(true)
  })

  test('from a known device count for its address and for this device only', async ({ database, clock }) => {
    const username = freshName()
    const device = { id: 'known', users: [`id-of-${username}`] }
    expect(await guarding(database, clock).guess('203.0.113.8', username, device)).toBe(true)
    const rows = await database.db.attempt.findMany({ orderBy: { key: 'asc' } })
    const own = `device:known:id-of-${username}`
    expect(rows.map(({ key }) => key)).toEqual([`day:${own}`, own, 'ip:203.0.113.8'])
  })

  test('count, and right ones do not', async ({ database, clock }) => {
    const { guess, guard, from } = guarding(database, clock)
    const username = freshName()
    for (let count = 0; count < 4; count++) await guess('203.0.113.6', username)
    const attempt = guard.forCode(from('2001:db8:2::1'), { userId: 'id', username })
    await attempt.take()
    await attempt.succeeded()
    const rows = await database.db.attempt.findMany({ orderBy: { key: 'asc' } })
    expect(rows.map(({ key, failures }) => [key, failures])).toEqual([
      [`day:stranger:2001:db8:2::/48:${username}`, 0],
      [`day:stranger:203.0.113.6:${username}`, 4],
      ['guess:2001:db8:2:0::/64', 0],
      ['guess:2001:db8:2::/48', 0],
      ['guess:203.0.113.6', 4],
      ['guess:all', 4],
      ['ip:2001:db8:2:0::/64', 0],
      ['ip:2001:db8:2::/48', 0],
      ['ip:203.0.113.6', 4],
      [`stranger:203.0.113.6:${username}`, 4],
    ])
  })
})

describe('the counters', () => {
  const budget = (key: string, rule: AttemptRule) => ({ key, rule })
  const attemptsOf = (database: Database, { now }: Clock) =>
    new AttemptCounters(database.reserved, { now, elapsed: now })

  test('count an attempt in one statement, and take it back in one', async ({ database, clock }) => {
    const watched = recorded(database)
    const { guard, from } = guarding(watched.database, clock)
    const attempt = guard.forCode(from('2001:db8::1'), { userId: 'id', username: freshName() })
    await attempt.take()
    await attempt.succeeded()
    expect(watched.statements).toEqual(['attempts.take', 'attempts.settle'])
  })

  test('do not count an attempt that one of them refuses, and name the one that refuses longest', async ({
    database,
    clock,
  }) => {
    const attempts = attemptsOf(database, clock)
    const open = budget('a:open', { limit: 5, windowMs: HOUR })
    const [short, long] = [
      budget('b:short', { limit: 1, windowMs: MINUTE }),
      budget('c:long', { limit: 1, windowMs: HOUR }),
    ]
    expect(await attempts.take([open, short, long])).toHaveProperty('counted')
    clock.advance(2_000)
    for (let count = 0; count < 3; count++) {
      expect(await attempts.take([open, long, short])).toMatchObject({ refused: { key: 'c:long' } })
      clock.advance(2_000)
    }
    clock.advance(MINUTE)
    expect(await attempts.take([open, short])).toHaveProperty('counted')
    expect(await database.db.attempt.findUnique({ where: { key: 'a:open' } })).toMatchObject({ failures: 2 })
  })

  test('allow no more than the limit, however many attempts come at once with their keys in any order', async ({
    database,
    testDatabase,
    clock,
  }) => {
    const nodes = [attemptsOf(database, clock), attemptsOf(await testDatabase.open(), clock)] as const
    const budgets = ['x', 'y', 'z'].map((key) => budget(key, { limit: 7, windowMs: HOUR }))
    const reversed = [...budgets].reverse()
    const taken = await Promise.all(
      Array.from({ length: 60 }, (_, index) => nodes[index % 2 ? 0 : 1].take(index % 3 ? budgets : reversed)),
    )
    expect(taken.filter((one) => 'counted' in one)).toHaveLength(7)
  })

  test('allow no more than a lock allows when all attempts come before the first is counted', async ({
    database,
    testDatabase,
    clock,
  }) => {
    const nodes = [attemptsOf(database, clock), attemptsOf(await testDatabase.open(), clock)] as const
    const fresh = [budget('fresh', deviceRule)]
    const taken = await Promise.all(Array.from({ length: 60 }, (_, index) => nodes[index % 2 ? 0 : 1].take(fresh)))
    expect(taken.filter((one) => 'counted' in one)).toHaveLength(5)
  })

  test('do not count what is refused, also when it comes at the same time', async ({
    database,
    testDatabase,
    clock,
  }) => {
    const nodes = [attemptsOf(database, clock), attemptsOf(await testDatabase.open(), clock)] as const
    const budgets = [budget('scarce', { limit: 6, windowMs: HOUR }), budget('ample', { limit: 1000, windowMs: HOUR })]
    await nodes[0].take(budgets)
    const taken = await Promise.all(Array.from({ length: 60 }, (_, index) => nodes[index % 2 ? 0 : 1].take(budgets)))
    expect(taken.filter((one) => 'counted' in one)).toHaveLength(5)
    expect(await database.db.attempt.findUnique({ where: { key: 'ample' } })).toMatchObject({ failures: 6 })
  })

  describe('when two wrong codes come at once and one is left', () => {
    /** Two attempts that wait for a row which another transaction has changed. */
    async function race(
      database: Database,
      clock: Clock,
      budgets: readonly Budget[],
      hold: (sql: Sql) => Promise<unknown>,
    ): Promise<boolean[]> {
      const attempts = attemptsOf(database, clock)
      const racing = await database.transaction(async ({ sql }) => {
        await hold(sql)
        const both = [attempts.take(budgets), attempts.take(budgets)]
        await expect
          .poll(() => database.reserved.rows(WAITING).then((rows) => rows.length), { timeout: 5_000, interval: 10 })
          .toBe(2)
        return both
      })
      return Promise.all(racing.map(async (taken) => 'counted' in (await taken)))
    }
    const WAITING = statement(
      'test.waiting',
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    const scarce = budget('scarce', { limit: 2, windowMs: HOUR })
    const ample = budget('ample', { limit: 100, windowMs: HOUR })

    test('one counts, and the other is counted nowhere', async ({ database, clock }) => {
      await attemptsOf(database, clock).take([ample, scarce])
      const lock = statement('test.lock', `SELECT key FROM attempts WHERE key = 'scarce' FOR UPDATE`)
      const passed = await race(database, clock, [ample, scarce], (sql) => sql.rows(lock))
      expect(passed.sort()).toEqual([false, true])
      expect(await database.db.attempt.findUnique({ where: { key: 'ample' } })).toMatchObject({ failures: 2 })
      expect(await database.db.attempt.findUnique({ where: { key: 'scarce' } })).toMatchObject({ failures: 2 })
    })

    test('one counts, also when there was no row yet', async ({ database, clock }) => {
      const insert = statement(
        'test.insert',
        `INSERT INTO attempts (key, failures, window_start, locks) VALUES ('scarce', 1, $1, 0)`,
      )
      const passed = await race(database, clock, [scarce], (sql) => sql.rows(insert, [new Date(clock.ms)]))
      expect(passed.sort()).toEqual([false, true])
    })
  })

  test('ask the database nothing while they refuse', async ({ database, clock }) => {
    const watched = recorded(database)
    const attempts = attemptsOf(watched.database, clock)
    const flooded = [budget('flooded', deviceRule)]
    for (let count = 0; count < 500; count++) await attempts.take(flooded)
    expect(watched.statements).toHaveLength(6)
    clock.advance(5 * MINUTE)
    expect(await attempts.take(flooded)).toHaveProperty('counted')
  })

  test('repeat a refusal for a second, because another node may lift it, and not after a success here', async ({
    database,
    clock,
  }) => {
    const [here, there] = [attemptsOf(database, clock), attemptsOf(database, clock)]
    const locked = [budget('lifted', deviceRule)]
    const lock = async () => {
      for (let count = 0; count < 6; count++) await here.take(locked)
      expect(await here.take(locked)).toHaveProperty('refused')
    }
    await lock()
    await there.settle(['lifted'], [])
    expect(await here.take(locked)).toHaveProperty('refused')
    clock.advance(1_000)
    expect(await here.take(locked)).toHaveProperty('counted')
    await lock()
    await here.settle(['lifted'], [])
    expect(await here.take(locked)).toHaveProperty('counted')
  })

  test('take nothing back from a later window', async ({ database, clock }) => {
    const attempts = attemptsOf(database, clock)
    const windowed = [budget('windowed', { limit: 5, windowMs: MINUTE })]
    const before = await attempts.take(windowed)
    clock.advance(MINUTE)
    await attempts.take(windowed)
    if ('counted' in before) await attempts.settle([], before.counted)
    expect(await database.db.attempt.findUnique({ where: { key: 'windowed' } })).toMatchObject({ failures: 1 })
  })

  test('begin a new window after a lock that was shorter than the window', async ({ database, clock }) => {
    const attempts = attemptsOf(database, clock)
    const rule = { limit: 2, windowMs: HOUR, lock: { firstMs: MINUTE, maxMs: HOUR, forgetMs: HOUR } }
    const take = async () => 'counted' in (await attempts.take([budget('short-lock', rule)]))
    expect([await take(), await take(), await take()]).toEqual([true, true, false])
    clock.advance(MINUTE)
    expect([await take(), await take(), await take()]).toEqual([true, true, false])
  })
})
