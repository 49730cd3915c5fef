import { afterEach, describe, expect, test, vi } from 'vitest'
import { closeCodes, defaultLimits } from '../../src/protocol/index.ts'
import { Admission } from '../../src/rpc/admission.ts'
import { Connections } from '../../src/rpc/connection.ts'
import { channel } from '../../src/rpc/index.ts'
import { MethodLimiter } from '../../src/rpc/method-limits.ts'
import { StreamBudget } from '../../src/rpc/stream-budget.ts'
import { AnonymousAnswers } from '../../src/rpc/write-once.ts'
import { createHub } from '../support/hub.ts'

afterEach(() => vi.restoreAllMocks())

describe('the limit of a method', () => {
  const limiter = () => new MethodLimiter({ points: 3, perSeconds: 30 })

  test('allows its points at once, and then one whenever a point has come back', () => {
    const limit = limiter()
    expect([0, 0, 0, 0].map((now) => limit.take('a', now))).toEqual([0, 0, 0, 10_000])
    expect(limit.take('a', 9_990)).toBeGreaterThan(0)
    expect(limit.take('a', 10_000)).toBe(0)
    expect(limit.take('b', 10_000)).toBe(0)
  })

  test('does not save up more than its points', () => {
    const limit = limiter()
    limit.take('a', 0)
    expect([1e6, 1e6, 1e6].map((now) => limit.take('a', now))).toEqual([0, 0, 0])
    expect(limit.take('a', 1e6)).toBe(10_000)
  })

  test('takes a call back that was not executed', () => {
    const limit = limiter()
    for (let i = 0; i < 3; i++) limit.take('a', 0)
    limit.giveBack('a')
    expect([0, 0].map((now) => limit.take('a', now))).toEqual([0, 10_000])
  })

  test('forgets keys with all of their points, and no others', () => {
    const limit = limiter()
    for (let i = 0; i < 3; i++) limit.take('a', 0)
    limit.sweep(29_999)
    expect(limit.take('a', 9_000)).toBeGreaterThan(0)
  })
})

describe('frames that are refused', () => {
  const nobody = { user: null, ip: '192.0.2.1' }

  test('close a socket after a thousand more than were let through', () => {
    const allowance = new Admission(defaultLimits).allow(nobody)
    for (let i = 0; i < 1_000; i++) expect(allowance.refuse(1, 0)).not.toBe('close')
    allowance.letThrough(1)
    expect(allowance.refuse(1, 0)).not.toBe('close')
    expect(allowance.refuse(1, 0)).toBe('close')
  })

  test('close a socket after 4 MiB more than were let through', () => {
    const allowance = new Admission(defaultLimits).allow(nobody)
    const now = performance.now()
    expect(allowance.refuse(4 * 1024 * 1024, now)).toBe('answer')
    allowance.letThrough(10)
    expect(allowance.refuse(10, now)).toBe('answer')
    expect(allowance.refuse(1, now)).toBe('close')
  })
})

describe('an address', () => {
  const nobody = { user: null, ip: '192.0.2.1' }
  const inAnHour = () => performance.now() + 3_600_000
  const sweep = (admission: Admission) => {
    for (let i = 0; i < 250; i++) admission.sweep(inAnHour())
  }

  test('is remembered while it has a connection, so that the next connection shares its buckets', () => {
    const admission = new Admission({ ...defaultLimits, timesPerIp: 1 })
    const first = admission.allow(nobody)
    sweep(admission)
    const second = admission.allow(nobody)
    const now = inAnHour()
    for (let i = 0; i < 200; i++) expect(admission.frame(first, 0, now)).toBe(0)
    expect(admission.frame(second, 0, now)).toBeGreaterThan(0)
  })

  test('is forgotten after the last one', () => {
    const admission = new Admission(defaultLimits)
    const allowances = [admission.allow(nobody), admission.allow({ ...nobody, ip: '2001:db8::1' })]
    expect(admission.size).toBe(3)
    sweep(admission)
    expect(admission.size).toBe(3)
    for (const allowance of allowances) admission.release(allowance)
    sweep(admission)
    expect(admission.size).toBe(0)
  })

  test('has so many sockets, and a /48 four times as many', () => {
    const admission = new Admission({ ...defaultLimits, socketsPerIp: 2 })
    const open = (ip: string) => admission.socketOpened(ip)
    expect([1, 2, 3].map(() => open('192.0.2.1'))).toEqual([true, true, false])
    admission.socketClosed('192.0.2.1')
    expect(open('192.0.2.1')).toBe(true)
    const opened = [0, 1, 2, 3, 4].flatMap((net) => [1, 2, 3].map((host) => open(`2001:db8:0:${net}::${host}`)))
    expect(opened.filter(Boolean)).toHaveLength(8)
  })
})

describe('answers to writes without a user', () => {
  const never = () => true

  test('are the last 64', async () => {
    const answers = new AnonymousAnswers<number>()
    const run = (eid: string, answer: number) => answers.run({ eid, type: 't.a' }, async () => answer, never)
    for (let i = 0; i < 65; i++) await run(`${i}`, i)
    expect(await run('1', -1)).toBe(1)
    expect(await run('0', -1)).toBe(-1)
  })

  test('are kept for ten minutes', async () => {
    const answers = new AnonymousAnswers<number>()
    const run = (answer: number) => answers.run({ eid: 'e', type: 't.a' }, async () => answer, never)
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1_000)
    await run(1)
    clock.mockReturnValue(1_000 + 10 * 60_000 - 1)
    expect(await run(2)).toBe(1)
    clock.mockReturnValue(1_000 + 10 * 60_000)
    expect(await run(3)).toBe(3)
  })
})

test('a node remembers the sessions that ended last, and no more than 20,000', () => {
  const connections = new Connections()
  for (let i = 0; i < 20_001; i++) connections.closeCredential('user', `session-${i}`, closeCodes.sessionEnded, 'ended')
  expect(connections.hasJustEnded('session-0')).toBe(false)
  expect(connections.hasJustEnded('session-1')).toBe(true)
  expect(connections.hasJustEnded('session-20000')).toBe(true)
})

test('nothing is remembered of streams that were left, whatever fractions they cost', () => {
  const budget = new StreamBudget({ frames: 1, bytes: 1_000 })
  const { connection } = createHub().open()
  const streams = [0.1, 0.2, 0.3].map((frames) => channel('t.onFrame', `${frames}`, { cost: { frames, bytes: 0 } }))
  for (const stream of streams) budget.count(connection, stream, 1)
  expect(budget.size).toBe(1)
  for (const stream of streams) budget.count(connection, stream, -1)
  expect(budget.size).toBe(0)
})
