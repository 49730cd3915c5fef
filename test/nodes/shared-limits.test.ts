import { randomUUID } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Bus } from '../../src/bus/bus.ts'
import { createMemoryBus, type MemoryCluster } from '../../src/bus/memory.ts'
import { createRedisBus } from '../../src/bus/redis.ts'
import { defaultLimits } from '../../src/protocol/index.ts'
import { Admission } from '../../src/rpc/index.ts'
import { MethodLimiter } from '../../src/rpc/method-limits.ts'
import { shareLimits } from '../../src/rpc/shared-limits.ts'
import { connect, within } from '../support/client.ts'
import { createTestDatabase } from '../support/database.ts'
import { needsRedis, startRedis } from '../support/redis.ts'
import { startRally } from '../support/server.ts'

const IP = '198.51.100.7'

function startNode(cluster: MemoryCluster, node: string) {
  const fail = (error: unknown) => {
    throw error
  }
  return startOn(createMemoryBus(fail, { node, cluster }))
}

/** A node's limits, shared over `bus`. */
function startOn(bus: Bus) {
  const limits = { ...defaultLimits, upgradesPerSecond: 1, upgradesBurst: 10, socketsPerIp: 16 }
  const admission = new Admission(limits)
  const limiter = new MethodLimiter({ points: 10, perSeconds: 600 })
  const definition = { type: 'test.call', limiter }
  const shared = shareLimits(bus, admission, new Map([[definition.type, definition]]))
  return { bus, admission, limiter, shared }
}

/** How often something is allowed. */
function allowed(take: () => number): number {
  let count = 0
  while (take() === 0) count++
  return count
}

/** Lets a message between memory buses arrive. */
const delivered = () => new Promise((resolve) => setImmediate(resolve))

test('what one node has let through is missing at the others', async () => {
  const cluster: MemoryCluster = new Map()
  const [one, two] = [startNode(cluster, 'one'), startNode(cluster, 'two')]
  for (let i = 0; i < 6; i++) {
    expect(one.admission.upgrade(IP)).toBe(0)
    expect(one.limiter.take('somebody', performance.now())).toBe(0)
  }
  one.limiter.giveBack('somebody')
  one.shared.tell()
  await delivered()
  expect(allowed(() => two.admission.upgrade(IP))).toBe(4)
  expect(allowed(() => two.admission.upgrade('198.51.100.8'))).toBe(10)
  expect(allowed(() => two.limiter.take('somebody', performance.now()))).toBe(5)
  expect(allowed(() => two.limiter.take('somebody else', performance.now()))).toBe(10)
  // What was told once is not told again.
  one.shared.tell()
  two.shared.tell()
  await delivered()
  expect(allowed(() => one.limiter.take('somebody', performance.now()))).toBe(0)
})

test('the sockets of an address are counted over all nodes, as long as the other node lives', async () => {
  const cluster: MemoryCluster = new Map()
  const [one, two] = [startNode(cluster, 'one'), startNode(cluster, 'two')]
  for (let i = 0; i < 12; i++) expect(one.admission.socketOpened(IP)).toBe(true)
  one.shared.tell()
  await delivered()
  const opened = () => {
    let count = 0
    while (two.admission.socketOpened(IP)) count++
    for (let i = 0; i < count; i++) two.admission.socketClosed(IP)
    return count
  }
  expect(opened()).toBe(4)
  for (let i = 0; i < 11; i++) one.admission.socketClosed(IP)
  one.shared.tell()
  await delivered()
  expect(opened()).toBe(16)
  for (let i = 0; i < 11; i++) one.admission.socketOpened(IP)
  one.shared.tell()
  await delivered()
  expect(opened()).toBe(4)
  await one.bus.close()
  await delivered()
  expect(opened()).toBe(16)
})

describe('over Redis', () => {
  needsRedis()

  test('what one node has let through is missing at the others', async () => {
    await using redis = await startRedis()
    const errors: object[] = []
    const quiet = () => undefined
    const log = { info: quiet, warn: quiet, error: (details: object) => void errors.push(details) }
    const [one, two] = ['one', 'two'].map((node) => {
      const started = startOn(createRedisBus({ url: redis.url, node, prefix: 'test', log }))
      onTestFinished(() => started.bus.close())
      return started
    })
    if (!one || !two) throw new Error('no nodes')
    await one.bus.start()
    // It knows what the first one listens to when it has started.
    await two.bus.start()
    const heard = new Promise<void>((resolve) => one.bus.subscribe('rpc.limits', () => resolve()))
    for (let i = 0; i < 6; i++) {
      two.admission.upgrade(IP)
      two.limiter.take('somebody', performance.now())
    }
    two.shared.tell()
    await within(heard, 'the limits')
    expect(allowed(() => one.admission.upgrade(IP))).toBe(4)
    expect(allowed(() => one.limiter.take('somebody', performance.now()))).toBe(4)
    expect(errors).toEqual([])
  })
})

test('an address is limited by what it did at another node', async () => {
  await using database = await createTestDatabase()
  const cluster: MemoryCluster = new Map()
  await using first = await startRally({ database, cluster })
  await using second = await startRally({ database, cluster, config: { secrets: first.config.secrets } })
  await using one = await connect(first.url)
  await using two = await connect(second.url)
  let answered = 0
  const ask = (client: typeof one) => client.request('live.getReplay', { matchId: randomUUID() })
  while ((await ask(one)).error !== 'RATE_LIMITED') answered++
  expect(answered).toBeGreaterThan(0)
  await expect.poll(async () => (await ask(two)).error, { timeout: 5_000 }).toBe('RATE_LIMITED')
})
