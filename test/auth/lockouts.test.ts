import { describe, expect } from 'vitest'
import type { Database } from '../../src/db/client.ts'
import { Attempts } from '../../src/modules/auth/attempts.ts'
import { codeRule, dailyRule } from '../../src/modules/auth/sign-in-guard.ts'
import { Authorized, Candidate } from '../../src/modules/auth/types.ts'
import {
  type Answer,
  begun,
  config,
  freshName,
  type Registered,
  register,
  startNode,
  type TestNode,
  test,
} from './harness.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

test.beforeEach(async ({ database }) => {
  await database.db.attempt.deleteMany()
})

/** Wrong codes, one after the other, each from an address of its own and on a socket of its own. */
async function guess(on: TestNode, user: Registered, times: number): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let index = 0; index < times; index++) {
    const socket = await begun(on, user.user.username, { ip: `198.51.100.${index}` })
    answers.push(await socket.ask('auth.verify', { code: on.clock.wrongCode(user.secret) }))
  }
  return answers
}

async function signIn(on: TestNode, user: Registered, device: { id: string; users: string[] } | null = null) {
  const socket = await begun(on, user.user.username, { device })
  return socket.ask('auth.verify', { code: on.clock.code(user.secret) })
}

describe('a username', () => {
  test('is locked for five minutes after five wrong codes, for the right code too', async ({ clock, node }) => {
    const user = await register(node)
    clock.advance(MINUTE)
    const answers = await guess(node, user, 5)
    expect(answers.map(({ error }) => error)).toEqual(Array(5).fill('INVALID_CODE'))
    expect(await signIn(node, user)).toMatchObject({ error: 'RATE_LIMITED', data: { retryAfterMs: 5 * MINUTE } })
    clock.advance(5 * MINUTE - 1)
    expect(await signIn(node, user)).toMatchObject({ error: 'RATE_LIMITED', data: { retryAfterMs: 1 } })
    clock.advance(1)
    expect((await signIn(node, user)).error).toBeUndefined()
  })

  test('is not locked by four wrong codes every five minutes', async ({ clock, node }) => {
    const user = await register(node)
    for (let round = 0; round < 3; round++) {
      await guess(node, user, 4)
      clock.advance(5 * MINUTE)
    }
    expect((await signIn(node, user)).error).toBeUndefined()
  })

  test('is locked twice as long each time, up to a day', async ({ clock, node }) => {
    const user = await register(node)
    const locks: unknown[] = []
    for (let round = 0; round < 11; round++) {
      await guess(node, user, 5)
      const { data } = await signIn(node, user)
      locks.push(Number(data.retryAfterMs) / MINUTE)
      clock.advance(Number(data.retryAfterMs))
    }
    expect(locks).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440])
  })

  test('starts over with five minutes after a success', async ({ clock, node }) => {
    const user = await register(node)
    for (const minutes of [5, 10]) {
      await guess(node, user, 5)
      clock.advance(minutes * MINUTE)
    }
    expect((await signIn(node, user)).error).toBeUndefined()
    clock.advance(MINUTE)
    await guess(node, user, 5)
    expect(await signIn(node, user)).toMatchObject({ data: { retryAfterMs: 5 * MINUTE } })
  })

  test('starts over with five minutes when the last lock is a day ago, not before', async ({ clock, node }) => {
    const user = await register(node)
    await guess(node, user, 5)
    clock.advance(5 * MINUTE + 24 * HOUR - 1)
    await guess(node, user, 5)
    expect(await signIn(node, user)).toMatchObject({ data: { retryAfterMs: 10 * MINUTE } })
    clock.advance(10 * MINUTE + 24 * HOUR)
    await guess(node, user, 5)
    expect(await signIn(node, user)).toMatchObject({ data: { retryAfterMs: 5 * MINUTE } })
  })

  test('has fifty tries a day for who stays below the lock', async ({ clock, node }) => {
    const user = await register(node)
    let looked = 0
    for (let round = 0; round < 20; round++) {
      const answers = await guess(node, user, 4)
      looked += answers.filter(({ error }) => error === 'INVALID_CODE').length
      clock.advance(5 * MINUTE)
    }
    expect(looked).toBe(dailyRule.limit)
    clock.advance(24 * HOUR)
    expect((await signIn(node, user)).error).toBeUndefined()
  })

  test('has five tries however many come at once, on however many nodes', async ({ database, clock, node }) => {
    const user = await register(node)
    clock.advance(MINUTE)
    const other = await startNode({ database, clock })
    const sockets = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        begun(index % 2 ? node : other, user.user.username, { ip: `198.51.100.${index}` }),
      ),
    )
    const code = clock.wrongCode(user.secret)
    const answers = await Promise.all(sockets.map((socket) => socket.ask('auth.verify', { code })))
    await other.stop()
    expect(answers.filter(({ error }) => error === 'INVALID_CODE')).toHaveLength(5)
    expect(answers.filter(({ error }) => error === 'RATE_LIMITED')).toHaveLength(45)
  })

  test('that is free is locked like any other', async ({ clock, node }) => {
    const username = freshName()
    const socket = node.socket()
    const { secret } = await socket.get(Candidate, 'auth.begin', { username })
    for (let index = 0; index < 5; index++) {
      expect(await socket.ask('auth.verify', { code: clock.wrongCode(secret) })).toMatchObject({
        error: 'INVALID_CODE',
      })
    }
    expect(await socket.ask('auth.verify', { code: clock.code(secret) })).toMatchObject({ error: 'RATE_LIMITED' })
    clock.advance(5 * MINUTE - 1)
    const again = node.socket()
    const second = await again.get(Candidate, 'auth.begin', { username })
    clock.advance(1)
    await again.get(Authorized, 'auth.verify', { code: clock.code(second.secret) })
  })

  test('stays locked when the server starts anew', async ({ database, clock, node }) => {
    const user = await register(node)
    await guess(node, user, 5)
    const next = await startNode({ database, clock })
    expect(await signIn(next, user)).toMatchObject({ error: 'RATE_LIMITED', data: { retryAfterMs: 5 * MINUTE } })
    await next.stop()
  })

  test('leaves the way in by a recovery code open, which is locked apart', async ({ node }) => {
    const user = await register(node)
    await guess(node, user, 5)
    const recover = (recoveryCode: string) =>
      node.socket().ask('auth.recover', { username: user.user.username, recoveryCode })
    expect((await recover(user.recoveryCodes[0] ?? '')).error).toBeUndefined()
    for (let index = 0; index < 5; index++) {
      expect(await recover(`0000-0000-0000-000${index}`)).toMatchObject({ error: 'INVALID_CODE' })
    }
    expect(await recover(user.recoveryCodes[1] ?? '')).toMatchObject({ error: 'RATE_LIMITED' })
  })

  test('that nobody has is locked for recovery codes as one that somebody has', async ({ node }) => {
    const username = freshName()
    const recover = () => node.socket().ask('auth.recover', { username, recoveryCode: '0000-0000-0000-0000' })
    for (let index = 0; index < 5; index++) expect(await recover()).toMatchObject({ error: 'INVALID_CODE' })
    expect(await recover()).toMatchObject({ error: 'RATE_LIMITED', data: { retryAfterMs: 5 * MINUTE } })
  })
})

describe('a device on which the user signed in before', () => {
  test('is not locked out by strangers, and has five tries of its own', async ({ clock, node }) => {
    const user = await register(node)
    clock.advance(MINUTE)
    await guess(node, user, 6)
    expect(await signIn(node, user)).toMatchObject({ error: 'RATE_LIMITED' })
    const device = { id: 'device-1', users: [user.user.id] }
    expect((await signIn(node, user, device)).error).toBeUndefined()

    const code = clock.wrongCode(user.secret)
    for (let index = 0; index < 5; index++) {
      const socket = await begun(node, user.user.username, { device })
      expect(await socket.ask('auth.verify', { code })).toMatchObject({ error: 'INVALID_CODE' })
    }
    expect(await signIn(node, user, device)).toMatchObject({ error: 'RATE_LIMITED' })
  })

  test('of somebody else counts as any other', async ({ clock, node }) => {
    const user = await register(node)
    await guess(node, user, 5)
    clock.advance(MINUTE)
    const device = { id: 'device-2', users: ['somebody-else'] }
    expect(await signIn(node, user, device)).toMatchObject({ error: 'RATE_LIMITED' })
  })
})

describe('an address', () => {
  const few = ({ clock, platform: { database } }: TestNode) =>
    startNode({ database, clock, config: config({ LIMIT_AUTH_PER_IP: '6' }) })

  test('is bounded over all names, and free again when five minutes are over', async ({ clock, node }) => {
    const own = await few(node)
    const ip = '203.0.113.7'
    for (let index = 0; index < 6; index++) await begun(own, freshName(), { ip })
    const refused = await own.socket({ ip }).ask('auth.begin', { username: freshName() })
    expect(refused).toMatchObject({ error: 'RATE_LIMITED', data: { retryAfterMs: 5 * MINUTE } })
    await begun(own, freshName(), { ip: '203.0.113.8' })
    clock.advance(5 * MINUTE)
    await begun(own, freshName(), { ip })
    await own.stop()
  })

  test('pays for wrong codes, not for right ones', async ({ clock, node }) => {
    const own = await few(node)
    const ip = '203.0.113.9'
    const user = await register(node)
    for (let index = 0; index < 4; index++) {
      clock.advance(30_000)
      const socket = await begun(own, user.user.username, { ip })
      await socket.get(Authorized, 'auth.verify', { code: clock.code(user.secret) })
    }
    const socket = await begun(own, user.user.username, { ip })
    const code = clock.wrongCode(user.secret)
    expect(await socket.ask('auth.verify', { code })).toMatchObject({ error: 'INVALID_CODE' })
    expect(await socket.ask('auth.verify', { code })).toMatchObject({ error: 'RATE_LIMITED' })
    await own.stop()
  })

  test('does not use up the tries of a name once it is refused', async ({ clock, node }) => {
    const own = await few(node)
    const user = await register(node)
    clock.advance(MINUTE)
    const ip = '203.0.113.10'
    const socket = await begun(own, user.user.username, { ip })
    for (let index = 0; index < 5; index++) await begun(own, freshName(), { ip })
    for (let index = 0; index < 10; index++) {
      expect(await socket.ask('auth.verify', { code: '123456' })).toMatchObject({ error: 'RATE_LIMITED' })
    }
    expect((await signIn(own, user)).error).toBeUndefined()
    await own.stop()
  })
})

test('a flood of refused attempts leaves the database alone', async ({ database, clock }) => {
  let statements = 0
  const counting = database.db.$extends({
    query: {
      $queryRaw({ args, query }) {
        statements++
        return query(args)
      },
    },
  })
  // The extended client has every method that is asked for here, though not the type of the plain one.
  const attempts = new Attempts(counting as unknown as Database['db'], clock.now)
  const taken = await Promise.all(Array.from({ length: 500 }, () => attempts.take('user:flooded', codeRule)))
  expect(taken.filter((one) => 'attempt' in one)).toHaveLength(5)
  expect(statements).toBe(6)
  clock.advance(5 * MINUTE)
  expect(await attempts.take('user:flooded', codeRule)).toHaveProperty('attempt')
})

test('a lock shorter than its window leaves a whole new window', async ({ database, clock }) => {
  const attempts = new Attempts(database.db, clock.now)
  const rule = { limit: 2, windowMs: HOUR, lock: { firstMs: MINUTE, maxMs: HOUR, forgetMs: HOUR } }
  const take = async () => 'attempt' in (await attempts.take('user:short-lock', rule))
  expect([await take(), await take(), await take()]).toEqual([true, true, false])
  clock.advance(MINUTE)
  expect([await take(), await take(), await take()]).toEqual([true, true, false])
})
