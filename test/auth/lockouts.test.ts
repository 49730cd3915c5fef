import { describe, expect } from 'vitest'
import { Authorized, Candidate } from '../../src/modules/auth/types.ts'
import type { Caller } from '../../src/rpc/index.ts'
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
const DAY = 24 * HOUR

test.beforeEach(async ({ database }) => {
  await database.db.attempt.deleteMany()
})

/** Wrong codes, one after the other, each on a socket of its own, and from an address of its own unless `from` says one. */
async function guess(
  on: TestNode,
  user: Registered,
  times: number,
  from: (index: number) => Partial<Caller> = (index) => ({ ip: `198.51.100.${index}` }),
): Promise<(string | undefined)[]> {
  const answers: Answer[] = []
  for (let index = 0; index < times; index++) {
    const socket = await begun(on, user.user.username, from(index))
    answers.push(await socket.ask('auth.verify', { code: on.clock.wrongCode(user.secret) }))
  }
  return answers.map(({ error }) => error)
}

async function signIn(on: TestNode, user: Registered, from: Partial<Caller> = {}): Promise<Answer> {
  const socket = await begun(on, user.user.username, from)
  return socket.ask('auth.verify', { code: on.clock.code(user.secret) })
}

const knownDevice = ({ user }: Registered) => ({ device: { id: `device-of-${user.id}`, users: [user.id] } })
const refusedFor = (ms: number) => ({ error: 'RATE_LIMITED', data: { retryAfterMs: ms } })
const wrong = (times: number) => Array<string>(times).fill('INVALID_CODE')

describe('a name whose code strangers guess', () => {
  test('is locked for five minutes after five wrong codes, for the right code too', async ({ clock, node }) => {
    const user = await register(node)
    clock.advance(MINUTE)
    expect(await guess(node, user, 5)).toEqual(wrong(5))
    expect(await signIn(node, user)).toMatchObject(refusedFor(5 * MINUTE))
    clock.advance(5 * MINUTE - 1)
    expect(await signIn(node, user)).toMatchObject(refusedFor(1))
    clock.advance(1)
    expect((await signIn(node, user)).error).toBeUndefined()
  })

  test('is not locked by four wrong codes in five minutes', async ({ clock, node }) => {
    const user = await register(node)
    for (let round = 0; round < 2; round++) {
      await guess(node, user, 4)
      clock.advance(5 * MINUTE)
    }
    expect((await signIn(node, user)).error).toBeUndefined()
  })

  test('keeps a new browser out for at most 25 minutes, however many strangers come back', async ({ clock, node }) => {
    const user = await register(node)
    const locks: number[] = []
    for (let round = 0; round < 6; round++) {
      await guess(node, user, 5, (index) => ({ ip: `198.51.${round}.${index}` }))
      const { data } = await signIn(node, user)
      locks.push(Number(data.retryAfterMs) / MINUTE)
      clock.advance(Number(data.retryAfterMs))
    }
    expect(locks).toEqual([5, 25, 5, 25, 5, 25])
    expect((await signIn(node, user)).error).toBeUndefined()
  })

  test('lets its owner in on a known device, which ends the lock for new browsers too', async ({ clock, node }) => {
    const user = await register(node)
    clock.advance(MINUTE)
    await guess(node, user, 5)
    expect(await signIn(node, user)).toMatchObject({ error: 'RATE_LIMITED' })
    expect((await signIn(node, user, knownDevice(user))).error).toBeUndefined()
    clock.advance(MINUTE)
    expect((await signIn(node, user)).error).toBeUndefined()
  })

  test('lets its owner in with a recovery code after any number of wrong ones, and that ends the lock', async ({
    clock,
    node,
  }) => {
    const user = await register(node)
    await guess(node, user, 5)
    const recover = (recoveryCode: string, ip: string) =>
      node.socket({ ip }).ask('auth.recover', { username: user.user.username, recoveryCode })
    for (let index = 0; index < 20; index++) {
      expect(await recover(`0000-0000-0000-00${index}`, `198.51.100.${index}`)).toMatchObject({ error: 'INVALID_CODE' })
    }
    expect((await recover(user.recoveryCodes[0] ?? '', '192.0.2.1')).error).toBeUndefined()
    clock.advance(MINUTE)
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

  test('stays locked when the server starts anew', async ({ database, clock, node }) => {
    const user = await register(node)
    await guess(node, user, 5)
    const next = await startNode({ database, clock })
    expect(await signIn(next, user)).toMatchObject(refusedFor(5 * MINUTE))
    await next.stop()
  })
})

describe('an unknown device', () => {
  const from = (ip: string) => () => ({ ip })

  test('has ten wrong codes a day at one name, and other devices are not affected', async ({ clock, node }) => {
    const user = await register(node)
    const stranger = from('203.0.113.1')
    expect(await guess(node, user, 5, stranger)).toEqual(wrong(5))
    clock.advance(5 * MINUTE)
    expect(await guess(node, user, 5, stranger)).toEqual(wrong(5))
    clock.advance(30 * MINUTE)
    const dayLeft = DAY - 35 * MINUTE
    expect(await signIn(node, user, stranger())).toMatchObject(refusedFor(dayLeft))
    expect((await signIn(node, user)).error).toBeUndefined()
    expect(await signIn(node, user, stranger())).toMatchObject({ error: 'RATE_LIMITED' })
    clock.advance(dayLeft)
    expect((await signIn(node, user, stranger())).error).toBeUndefined()
  })

  test('counts together with all others of its /48', async ({ clock, node }) => {
    const user = await register(node)
    const rotating = (index: number) => ({ ip: `2001:db8:7:${index + 1}::1` })
    for (let round = 0; round < 2; round++) {
      expect(await guess(node, user, 5, rotating)).toEqual(wrong(5))
      clock.advance(30 * MINUTE)
    }
    expect(await signIn(node, user, { ip: '2001:db8:7:ffff::1' })).toMatchObject(refusedFor(DAY - HOUR))
    expect((await signIn(node, user, { ip: '2001:db8:8::1' })).error).toBeUndefined()
  })

  test('gets in with the right code, and that is not counted', async ({ database, clock, node }) => {
    const user = await register(node)
    for (let count = 0; count < 12; count++) {
      clock.advance(30_000)
      expect((await signIn(node, user)).error).toBeUndefined()
    }
    const kept = await database.db.attempt.findMany({ where: { failures: { gt: 0 } } })
    // Each time it began anew, which nothing gives back.
    expect(kept).toMatchObject([{ key: 'ip:192.0.2.1' }])
  })
})

describe('a device on which the user signed in before', () => {
  test('has five tries of its own, which lock this device only', async ({ clock, node }) => {
    const user = await register(node)
    clock.advance(MINUTE)
    expect(await guess(node, user, 5, () => knownDevice(user))).toEqual(wrong(5))
    expect(await signIn(node, user, knownDevice(user))).toMatchObject(refusedFor(5 * MINUTE))
    expect((await signIn(node, user)).error).toBeUndefined()
  })

  test('is locked twice as long each time, up to a day', async ({ clock, node }) => {
    const user = await register(node)
    const locks: number[] = []
    for (let round = 0; round < 11; round++) {
      await guess(node, user, 5, () => knownDevice(user))
      const { data } = await signIn(node, user, knownDevice(user))
      locks.push(Number(data.retryAfterMs) / MINUTE)
      clock.advance(Number(data.retryAfterMs))
    }
    expect(locks).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440])
  })

  test('starts over with five minutes after a success', async ({ clock, node }) => {
    const user = await register(node)
    for (const minutes of [5, 10]) {
      await guess(node, user, 5, () => knownDevice(user))
      clock.advance(minutes * MINUTE)
    }
    expect((await signIn(node, user, knownDevice(user))).error).toBeUndefined()
    clock.advance(MINUTE)
    await guess(node, user, 5, () => knownDevice(user))
    expect(await signIn(node, user, knownDevice(user))).toMatchObject(refusedFor(5 * MINUTE))
  })

  test('starts over with five minutes when the last lock is a day ago, not before', async ({ clock, node }) => {
    const user = await register(node)
    await guess(node, user, 5, () => knownDevice(user))
    clock.advance(5 * MINUTE + DAY - 1)
    await guess(node, user, 5, () => knownDevice(user))
    expect(await signIn(node, user, knownDevice(user))).toMatchObject(refusedFor(10 * MINUTE))
    clock.advance(10 * MINUTE + DAY)
    await guess(node, user, 5, () => knownDevice(user))
    expect(await signIn(node, user, knownDevice(user))).toMatchObject(refusedFor(5 * MINUTE))
  })

  test('has fifty tries a day below the lock', async ({ clock, node }) => {
    const user = await register(node)
    let looked = 0
    for (let round = 0; round < 20; round++) {
      const errors = await guess(node, user, 4, () => knownDevice(user))
      looked += errors.filter((error) => error === 'INVALID_CODE').length
      clock.advance(5 * MINUTE)
    }
    expect(looked).toBe(50)
    clock.advance(DAY)
    expect((await signIn(node, user, knownDevice(user))).error).toBeUndefined()
  })

  test('of somebody else counts as an unknown one', async ({ clock, node }) => {
    const user = await register(node)
    await guess(node, user, 5)
    clock.advance(MINUTE)
    const device = { id: 'device-2', users: ['somebody-else'] }
    expect(await signIn(node, user, { device })).toMatchObject({ error: 'RATE_LIMITED' })
  })
})

describe('a free name', () => {
  test('has five wrong codes for each challenge; a new `begin` gives five more', async ({ clock, node }) => {
    const username = freshName()
    const socket = node.socket()
    const { secret } = await socket.get(Candidate, 'auth.begin', { username })
    for (let index = 0; index < 5; index++) {
      const answer = await socket.ask('auth.verify', { code: clock.wrongCode(secret) })
      expect(answer).toMatchObject({ error: 'INVALID_CODE' })
    }
    clock.advance(MINUTE)
    expect(await socket.ask('auth.verify', { code: clock.code(secret) })).toMatchObject(refusedFor(4 * MINUTE))
    const again = await socket.get(Candidate, 'auth.begin', { username })
    await socket.get(Authorized, 'auth.verify', { code: clock.code(again.secret) })
  })

  test('stays free for others, whatever strangers send', async ({ clock, node }) => {
    const username = freshName()
    for (let index = 0; index < 4; index++) {
      const stranger = node.socket({ ip: `198.51.100.${index}` })
      const { secret } = await stranger.get(Candidate, 'auth.begin', { username })
      for (let count = 0; count < 6; count++) await stranger.ask('auth.verify', { code: clock.wrongCode(secret) })
    }
    const socket = node.socket()
    const { secret } = await socket.get(Candidate, 'auth.begin', { username })
    await socket.get(Authorized, 'auth.verify', { code: clock.code(secret) })
  })

  test('uses none of the guesses of the installation', async ({ database, clock }) => {
    const own = await startNode({ database, clock, config: config({ LIMIT_WRONG_CODES_PER_HOUR: '1' }) })
    const user = await register(own)
    clock.advance(MINUTE)
    const socket = own.socket()
    const { secret } = await socket.get(Candidate, 'auth.begin', { username: freshName() })
    for (let count = 0; count < 5; count++) await socket.ask('auth.verify', { code: clock.wrongCode(secret) })
    expect((await signIn(own, user)).error).toBeUndefined()
    await own.stop()
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
    expect(refused).toMatchObject(refusedFor(5 * MINUTE))
    await begun(own, freshName(), { ip: '203.0.113.8' })
    clock.advance(5 * MINUTE)
    await begun(own, freshName(), { ip })
    await own.stop()
  })

  test('of IPv6 is its /64, and a /48 has four times as much', async ({ node }) => {
    const own = await few(node)
    const begin = async (ip: string) => (await own.socket({ ip }).ask('auth.begin', { username: freshName() })).error
    for (let index = 0; index < 6; index++) expect(await begin(`2001:db8:0:1::${index}`)).toBeUndefined()
    expect(await begin('2001:db8:0:1:ffff::1')).toBe('RATE_LIMITED')
    for (let index = 0; index < 18; index++) expect(await begin(`2001:db8:0:${index + 2}::1`)).toBeUndefined()
    expect(await begin('2001:db8:0:ffff::1')).toBe('RATE_LIMITED')
    expect(await begin('2001:db8:1::1')).toBeUndefined()
    await own.stop()
  })

  test('is charged for wrong codes, not for right ones', async ({ clock, node }) => {
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
      clock.advance(2_000)
    }
    expect((await signIn(own, user)).error).toBeUndefined()
    await own.stop()
  })

  test('bounds recovery codes', async ({ node }) => {
    const own = await few(node)
    const user = await register(node)
    const recover = (ip: string) =>
      own.socket({ ip }).ask('auth.recover', { username: user.user.username, recoveryCode: '0000' })
    for (let index = 0; index < 6; index++) {
      expect(await recover('203.0.113.11')).toMatchObject({ error: 'INVALID_CODE' })
    }
    expect(await recover('203.0.113.11')).toMatchObject({ error: 'RATE_LIMITED' })
    await own.stop()
  })
})
