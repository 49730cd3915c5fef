import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Bus, BusMessage } from '../../src/bus/bus.ts'
import { createRedisBus } from '../../src/bus/redis.ts'
import { Control, decode, encodeBatch, encodeBeacon, encodeControl } from '../../src/bus/redis-frames.ts'
import { RedisLink } from '../../src/bus/redis-link.ts'
import { within } from '../support/client.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { isRedisInstalled, needsRedis, startRedis, type TestRedis } from '../support/redis.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

needsRedis()

let redis: TestRedis
beforeAll(async () => {
  if (isRedisInstalled) redis = await startRedis()
})
afterAll(() => redis?.[Symbol.asyncDispose]())

/** What the nodes of a test logged as errors. */
const errors: object[] = []
afterEach(() => expect(errors.splice(0)).toEqual([]))

/** A node with a subscription, what it heard, and how often it was told that it may have missed something. */
interface Node {
  readonly bus: Bus
  readonly heard: string[]
  lost: number
  readonly gone: string[]
  /** Starts to listen; resolves once all nodes know. */
  listen(topic: string): Promise<void>
}

const prefix = () => `test-${randomUUID()}`

async function startNode(name: string, prefix: string, url = redis.url): Promise<Node> {
  const quiet = () => undefined
  const error = (details: object) => void errors.push(details)
  const bus = createRedisBus({ url, node: name, prefix, beaconMs: 100, log: { info: quiet, warn: quiet, error } })
  await bus.start()
  const node: Node = {
    bus,
    heard: [],
    lost: 0,
    gone: [],
    listen(topic) {
      const listener = ({ payload }: BusMessage) => void node.heard.push(String(payload))
      return bus.subscribe(topic, listener, () => void node.lost++).ready
    },
  }
  onTestFinished(() => bus.close())
  bus.onGone((each) => void node.gone.push(each))
  return node
}

/** Resolves once a node has noticed that Redis is away. */
async function cutOff({ bus }: Node): Promise<void> {
  const isUp = () =>
    bus
      .ping(1_000)
      .then(() => true)
      .catch(() => false)
  await expect.poll(isUp, eventually).toBe(false)
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
const text = (payload: string): BusMessage => ({ seq: 0, payload })
const eventually = { timeout: 10_000, interval: 10 }

async function startProxy(port?: number) {
  const proxy = await startTcpProxy(port)
  onTestFinished(() => proxy.close())
  return { ...proxy, url: proxy.url.replace('http', 'redis') }
}

/** Two nodes that know each other, the second one by a way to Redis that can be cut. */
async function startPair(proxy: { readonly url: string }) {
  const cluster = prefix()
  const one = await startNode('one', cluster)
  const two = await startNode('two', cluster, proxy.url)
  await Promise.all([one.listen('a'), two.listen('a')])
  return { one, two, cluster }
}

describe('a node whose way to Redis is cut', () => {
  test('hears itself meanwhile, and learns once it is back that it may have missed something', async () => {
    const proxy = await startProxy(redis.port)
    const { one, two } = await startPair(proxy)
    proxy.leadTo(undefined)
    await cutOff(two)
    expect(two.bus.stats.isConnected).toBe(false)
    one.bus.publish('a', text('missed'))
    two.bus.publish('a', text('own'))
    expect(two.heard).toEqual(['own'])
    expect(two.bus.hasSubscribers('a')).toBe(true)
    expect(two.lost).toBe(0)
    proxy.leadTo(redis.port)
    await expect.poll(() => two.lost, eventually).toBe(1)
    // The other one missed "own" in the same way.
    await expect.poll(() => one.lost, eventually).toBe(1)
    expect(two.bus.stats).toMatchObject({ isConnected: true, cuts: 1, gaps: 1 })
    expect(two.bus.stats.dropped).toBeGreaterThan(0)
    one.bus.publish('a', text('again'))
    await expect.poll(() => two.heard, eventually).toEqual(['own', 'again'])
    expect([one.gone, two.gone]).toEqual([[], []])
    await two.bus.ping(1_000)
  })

  test('is told nothing when nothing was published meanwhile', async () => {
    const proxy = await startProxy(redis.port)
    const { one, two } = await startPair(proxy)
    proxy.cut()
    // A subscription is ready only once the other node has confirmed it.
    await two.listen('b')
    one.bus.publish('b', text('heard'))
    await expect.poll(() => two.heard, eventually).toEqual(['heard'])
    await one.listen('c')
    expect([one.lost, two.lost]).toEqual([0, 0])
  })

  test('cannot subscribe as long as there are others, and can when it is alone', async () => {
    const proxy = await startProxy(redis.port)
    const { one, two } = await startPair(proxy)
    proxy.leadTo(undefined)
    await cutOff(two)
    await expect(two.listen('b')).rejects.toThrow('cannot be reached')
    await one.bus.close()
    proxy.leadTo(redis.port)
    await expect.poll(() => two.bus.nodes(), eventually).toEqual([])
    await two.listen('c')
    proxy.leadTo(undefined)
    await cutOff(two)
    await two.listen('d')
    two.bus.publish('d', text('own'))
    expect(two.heard).toEqual(['own'])
  })

  test('notices a connection on which nothing gets through', async () => {
    const proxy = await startProxy(redis.port)
    const { one, two } = await startPair(proxy)
    proxy.stall()
    one.bus.publish('a', text('missed'))
    await expect.poll(() => two.lost, eventually).toBeGreaterThan(0)
    one.bus.publish('a', text('again'))
    await expect.poll(() => two.heard, eventually).toEqual(['again'])
  })

  test('is gone for the others after some seconds, and comes back', async () => {
    const proxy = await startProxy(redis.port)
    const { one, two } = await startPair(proxy)
    proxy.leadTo(undefined)
    await expect.poll(() => one.gone, eventually).toEqual(['two'])
    await expect.poll(() => two.gone, eventually).toEqual(['one'])
    // It may have written something that it could not tell.
    await expect.poll(() => one.lost, eventually).toBe(1)
    expect(one.bus.hasSubscribers('b')).toBe(false)
    proxy.leadTo(redis.port)
    await expect.poll(() => two.lost, eventually).toBe(1)
    one.bus.publish('a', text('again'))
    await expect.poll(() => two.heard, eventually).toEqual(['again'])
    two.bus.publish('a', text('and back'))
    await expect.poll(() => one.heard, eventually).toEqual(['again', 'and back'])
  })
})

test('a Redis that is restarted empty is used again, and what may have been missed is told', async () => {
  await using own = await startRedis()
  const cluster = prefix()
  const one = await startNode('one', cluster, own.url)
  const two = await startNode('two', cluster, own.url)
  await Promise.all([one.listen('a'), two.listen('a')])
  await own.stop()
  await cutOff(one)
  one.bus.publish('a', text('missed'))
  await own.start()
  await expect.poll(() => two.lost, eventually).toBe(1)
  await two.listen('b')
  one.bus.publish('a', text('again'))
  await expect.poll(() => two.heard, eventually).toEqual(['again'])
  expect(one.heard).toEqual(['missed', 'again'])
})

test('a node that dies is gone, and what it may not have told is reported', async () => {
  const cluster = prefix()
  const proxy = await startProxy(redis.port)
  const one = await startNode('one', cluster)
  // Never closed while the test looks: to the others that is the same as a process that was killed.
  const two = await startNode('two', cluster, proxy.url)
  await one.listen('a')
  proxy.leadTo(undefined)
  await expect.poll(() => one.gone, eventually).toEqual(['two'])
  expect(one.lost).toBe(1)
  expect(one.bus.nodes()).toEqual([])
  await one.listen('b')
  await expect.poll(() => two.bus.nodes(), eventually).toEqual([])
})

test('a slow Redis costs nobody a message, and no publisher waits', async () => {
  await using proxy = await startFaultProxy(redis.port, { latencyMs: 60 })
  const cluster = prefix()
  const one = await startNode('one', cluster, proxy.url.replace('http', 'redis'))
  const two = await startNode('two', cluster)
  await two.listen('a')
  const sent = Array.from({ length: 2_000 }, (_, i) => `message ${i}`)
  for (const each of sent) one.bus.publish('a', text(each))
  await expect.poll(() => two.heard.length, eventually).toBe(sent.length)
  expect(two.heard).toEqual(sent)
  expect(two.lost).toBe(0)
})

test('what is too much for the connection is dropped and counted, and the other node learns of it', async () => {
  const proxy = await startProxy(redis.port)
  const { one, two } = await startPair(proxy)
  const large = 'x'.repeat(1024 * 1024)
  for (let i = 0; i < 20; i++) two.bus.publish('a', text(large))
  expect(two.heard).toHaveLength(20)
  expect(two.bus.stats.dropped).toBeGreaterThan(0)
  await expect.poll(() => one.lost, eventually).toBeGreaterThan(0)
  two.bus.publish('a', text('small'))
  await expect.poll(() => one.heard.at(-1), eventually).toBe('small')
  expect(one.heard.length).toBeLessThan(20)
})

test('what a node dropped just before it left is reported', async () => {
  await using proxy = await startFaultProxy(redis.port, { latencyMs: 20 })
  const { one, two } = await startPair({ url: proxy.url.replace('http', 'redis') })
  // The third one is more than the connection takes.
  for (const megabytes of [3.9, 3.9, 0.5]) {
    two.bus.publish('a', text('x'.repeat(megabytes * 1024 * 1024)))
    await nextTurn()
  }
  expect(two.bus.stats.dropped).toBe(1)
  await two.bus.close()
  await expect.poll(() => one.gone, eventually).toEqual(['two'])
  expect(one.heard).toHaveLength(2)
  expect(one.lost).toBe(1)
})

test('what was missed is reported while subscriptions come and go all the time', async () => {
  await using proxy = await startFaultProxy(redis.port, { latencyMs: 10 })
  const { one, two } = await startPair({ url: proxy.url.replace('http', 'redis') })
  let topics = 0
  const changing = setInterval(() => {
    const { unsubscribe } = two.bus.subscribe(`topic ${topics++}`, () => undefined)
    setTimeout(unsubscribe, 50)
  }, 2)
  onTestFinished(() => clearInterval(changing))
  proxy.cut()
  one.bus.publish('a', text('missed'))
  await expect.poll(() => two.lost, eventually).toBe(1)
})

test('a node that lives, but has not said yet what it listens to, is told that it may have missed something', async () => {
  const cluster = prefix()
  const told: boolean[] = []
  const receive = (bytes: Uint8Array) => {
    const frame = decode(bytes)
    if (frame === null) return
    if ('node' in frame) {
      const own = { node: 'two', version: 0, lanes: {}, isLeaving: false }
      if (frame.node === 'one') two.publish(`${cluster}:all`, encodeBeacon(own))
      return
    }
    for (const { message } of frame.entries) {
      const control = Control.parse(JSON.parse(String(message.payload)))
      if (control.kind === 'all') told.push(control.mayHaveMissed)
    }
  }
  const quiet = () => undefined
  const two = await new Promise<RedisLink>((resolve) => {
    const link = new RedisLink({
      url: redis.url,
      channels: [`${cluster}:all`, `${cluster}:two`],
      onUp: () => resolve(link),
      onDown: quiet,
      onMessage: receive,
      log: { info: quiet, warn: quiet },
    })
    onTestFinished(() => link.close())
    link.start()
  })
  const one = await startNode('one', cluster)
  await expect.poll(() => told, eventually).toContain(false)
  expect(told).not.toContain(true)
  one.bus.publish('a', text('missed'))
  // This confirms what was said before.
  const knows = encodeControl({ kind: 'knows', version: 0, mayHaveMissed: false })
  two.publish(`${cluster}:one`, encodeBatch('two', 1, 0, [knows]))
  await expect.poll(() => told.at(-1), eventually).toBe(true)
})

test('installations with different prefixes do not hear each other', async () => {
  const one = await startNode('one', prefix())
  const two = await startNode('two', prefix())
  await Promise.all([one.listen('a'), two.listen('a')])
  expect([one.bus.nodes(), two.bus.nodes()]).toEqual([[], []])
  expect(one.bus.hasSubscribers('a')).toBe(true)
  one.bus.publish('a', text('own'))
  await two.listen('b')
  expect(two.heard).toEqual([])
})

test('a node that starts while others run knows at once who listens to what', async () => {
  const cluster = prefix()
  const one = await startNode('one', cluster)
  await Promise.all(Array.from({ length: 50 }, (_, i) => one.listen(`topic ${i}`)))
  const two = await startNode('two', cluster)
  expect(two.bus.hasSubscribers('topic 49')).toBe(true)
  two.bus.publish('topic 49', text('first'))
  await expect.poll(() => one.heard, eventually).toEqual(['first'])
  expect(one.lost).toBe(0)
})

test('a password is sent, and a wrong one says so', async () => {
  await using own = await startRedis('--requirepass', 'se cret')
  const url = new URL(own.url)
  url.password = 'se cret'
  const one = await startNode('one', prefix(), url.href)
  await one.bus.ping(1_000)
  url.password = 'wrong'
  const warned = new Promise<object>((resolve) => {
    const log = { info: () => undefined, warn: resolve, error: resolve }
    const bus = createRedisBus({ url: url.href, node: 'two', prefix: prefix(), log })
    bus.start().catch(() => undefined)
    setTimeout(() => void bus.close(), 500)
  })
  expect(String(Object.values(await within(warned, 'the warning'))[0])).toMatch(/WRONGPASS|invalid/i)
})

test('the start fails when there is no Redis', async () => {
  const proxy = await startProxy()
  const quiet = () => undefined
  const url = proxy.url
  const bus = createRedisBus({ url, node: 'one', prefix: prefix(), log: { info: quiet, warn: quiet, error: quiet } })
  bus.publish('a', text('nobody'))
  const started = bus.start()
  const failed = expect(started).rejects.toThrow()
  await bus.close()
  await failed
})
