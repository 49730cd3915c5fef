import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import type { Bus, BusMessage } from '../../src/bus/bus.ts'
import { createMemoryBus, type MemoryCluster } from '../../src/bus/memory.ts'
import { createNodeCalls, NodeCallError } from '../../src/bus/node-calls.ts'
import { createRedisBus } from '../../src/bus/redis.ts'
import { within } from '../support/client.ts'
import { needsRedis, startRedis, type TestRedis } from '../support/redis.ts'

interface TestCluster extends AsyncDisposable {
  /** Starts one more node; errors of its listeners are kept in `errors`. */
  start(): Promise<Bus>
  readonly errors: unknown[]
}

async function memoryCluster(): Promise<TestCluster> {
  const cluster: MemoryCluster = new Map()
  const errors: unknown[] = []
  return {
    errors,
    start: async () => createMemoryBus((error) => errors.push(error), { cluster }),
    async [Symbol.asyncDispose]() {},
  }
}

/** What a subscription or a direct listener was given, to be waited for. */
class Received {
  readonly messages: BusMessage[] = []
  #waiting: { count: number; done: () => void } | undefined

  readonly add = (message: BusMessage) => {
    this.messages.push(message)
    if (this.#waiting && this.messages.length >= this.#waiting.count) this.#waiting.done()
  }

  async count(count: number): Promise<BusMessage[]> {
    if (this.messages.length < count) {
      await within(
        new Promise<void>((done) => {
          this.#waiting = { count, done }
        }),
        `${count} messages`,
      )
    }
    return this.messages
  }
}

const text = (payload: string, seq = 0): BusMessage => ({ seq, payload })

/** Nodes on one Redis of all tests here, under names of their own. */
async function redisCluster(): Promise<TestCluster> {
  redis ??= startRedis()
  const { url } = await redis
  const errors: unknown[] = []
  const started: Bus[] = []
  const prefix = `test-${randomUUID()}`
  const quiet = () => undefined
  const log = { info: quiet, warn: quiet, error: ({ err }: { err?: unknown }) => void errors.push(err) }
  return {
    errors,
    async start() {
      const bus = createRedisBus({ url, node: randomUUID(), prefix, log })
      started.push(bus)
      await bus.start()
      return bus
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(started.map((bus) => bus.close()))
    },
  }
}

let redis: Promise<TestRedis> | undefined
afterAll(async () => (await redis)?.[Symbol.asyncDispose]())

describe.each([
  ['memory', memoryCluster],
  ['Redis', redisCluster],
] as const)('the %s bus', (name, startCluster) => {
  if (name === 'Redis') needsRedis()

  test('calls the listeners of its own node before publish returns', async () => {
    await using cluster = await startCluster()
    const bus = await cluster.start()
    const received = new Received()
    bus.subscribe('a', received.add)
    bus.publish('a', text('one', 7))
    bus.publish('b', text('another topic'))
    expect(received.messages).toEqual([text('one', 7)])
  })

  test('delivers what is published once a subscription is ready, in order and once, to every node', async () => {
    await using cluster = await startCluster()
    const [one, two, three] = [await cluster.start(), await cluster.start(), await cluster.start()]
    const [atOne, atTwo, atThree] = [new Received(), new Received(), new Received()]
    const subscriptions = [
      one.subscribe('a', atOne.add),
      two.subscribe('a', atTwo.add),
      three.subscribe('a', atThree.add),
    ]
    await Promise.all(subscriptions.map(({ ready }) => ready))
    const sent = Array.from({ length: 500 }, (_, seq) => text(`event ${seq}`, seq))
    for (const message of sent) two.publish('a', message)
    for (const received of [atOne, atTwo, atThree]) expect(await received.count(500)).toEqual(sent)
  })

  test('carries bytes, texts and numbers exactly', async () => {
    await using cluster = await startCluster()
    const [one, two] = [await cluster.start(), await cluster.start()]
    const received = new Received()
    await one.subscribe('ä', received.add).ready
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    const sent = [
      { seq: Number.MAX_SAFE_INTEGER, payload: bytes },
      { seq: -2, payload: new Uint8Array() },
      text(''),
      text('€ \u0000 \ud83d\ude00'),
      text('x'.repeat(300_000)),
    ]
    for (const message of sent) two.publish('ä', message)
    bytes.fill(0)
    const [first, ...others] = await received.count(sent.length)
    expect([...(first?.payload ?? [])]).toEqual(Array.from({ length: 256 }, (_, i) => i))
    expect(first?.seq).toBe(Number.MAX_SAFE_INTEGER)
    expect(others.map(({ seq, payload }) => [seq, payload.length, payload.toString()])).toEqual(
      sent.slice(1).map(({ seq, payload }) => [seq, payload.length, payload.toString()]),
    )
  })

  test('knows on every node who listens', async () => {
    await using cluster = await startCluster()
    const [one, two] = [await cluster.start(), await cluster.start()]
    expect(two.hasSubscribers('a')).toBe(false)
    const subscription = one.subscribe('a', () => {})
    expect(one.hasSubscribers('a')).toBe(true)
    await subscription.ready
    expect(two.hasSubscribers('a')).toBe(true)
    expect(two.hasSubscribers('b')).toBe(false)
    subscription.unsubscribe()
    expect(one.hasSubscribers('a')).toBe(false)
    await expect.poll(() => two.hasSubscribers('a')).toBe(false)
  })

  test('calls no listener after its unsubscribe, and each of several subscriptions of one function', async () => {
    await using cluster = await startCluster()
    const [one, two] = [await cluster.start(), await cluster.start()]
    const received = new Received()
    const first = one.subscribe('a', received.add)
    const second = one.subscribe('a', received.add)
    await Promise.all([first.ready, second.ready])
    two.publish('a', text('both'))
    await received.count(2)
    first.unsubscribe()
    first.unsubscribe()
    two.publish('a', text('one'))
    expect(await received.count(3)).toEqual([text('both'), text('both'), text('one')])
    second.unsubscribe()
    one.publish('a', text('nobody'))
    expect(received.messages).toHaveLength(3)
  })

  test('goes on when a listener throws, and reports it', async () => {
    await using cluster = await startCluster()
    const [one, two] = [await cluster.start(), await cluster.start()]
    const received = new Received()
    const failing = () => {
      throw new Error('a mistake')
    }
    one.subscribe('a', failing)
    await one.subscribe('a', received.add).ready
    one.publish('a', text('own'))
    two.publish('a', text('other'))
    expect(await received.count(2)).toEqual([text('own'), text('other')])
    expect(cluster.errors.map(String)).toEqual(['Error: a mistake', 'Error: a mistake'])
  })

  test('sends to one node, itself too, and says from whom', async () => {
    await using cluster = await startCluster()
    const [one, two, three] = [await cluster.start(), await cluster.start(), await cluster.start()]
    await Promise.all([one, two, three].map((bus) => bus.subscribe('meet', () => {}).ready))
    expect([...one.nodes()].sort()).toEqual([two.node, three.node].sort())
    const received = new Received()
    const from: string[] = []
    const end = two.receive('a', (message, sender) => {
      from.push(sender)
      received.add(message)
    })
    three.receive('a', () => expect.unreachable())
    one.send(two.node, 'a', text('1'))
    one.send(two.node, 'a', { seq: 3, payload: Uint8Array.of(1, 2) })
    await received.count(2)
    two.send(two.node, 'a', text('2'))
    expect(await received.count(3)).toEqual([text('1'), { seq: 3, payload: expect.anything() }, text('2')])
    expect(from).toEqual([one.node, one.node, two.node])
    end()
    two.send(two.node, 'a', text('nobody'))
    one.send('no such node', 'a', text('nobody'))
    expect(received.messages).toHaveLength(3)
  })

  test('tells of a node that left', async () => {
    await using cluster = await startCluster()
    const [one, two] = [await cluster.start(), await cluster.start()]
    await one.subscribe('meet', () => {}).ready
    const gone = new Promise((resolve) => one.onGone(resolve))
    await two.close()
    expect(await within(gone, 'the other node to be gone')).toBe(two.node)
    expect(one.nodes()).toEqual([])
    await one.ping(1_000)
  })

  test('does nothing once it is closed', async () => {
    await using cluster = await startCluster()
    const [one, two] = [await cluster.start(), await cluster.start()]
    const received = new Received()
    await one.subscribe('a', received.add).ready
    await two.close()
    two.publish('a', text('late'))
    two.send(one.node, 'a', text('late'))
    await two.close()
    one.publish('a', text('own'))
    expect(await received.count(1)).toEqual([text('own')])
  })

  describe('calls between nodes', () => {
    const callsOf = (bus: Bus, errors: unknown[] = []) => createNodeCalls(bus, (error) => errors.push(error))

    test('are answered, with errors that have a code', async () => {
      await using cluster = await startCluster()
      const [one, two] = [await cluster.start(), await cluster.start()]
      await Promise.all([one, two].map((bus) => bus.subscribe('meet', () => {}).ready))
      const errors: unknown[] = []
      const [asker, answerer] = [callsOf(one), callsOf(two, errors)]
      answerer.answer('double', async (data, from) => ({ from, double: Number(data) * 2 }))
      answerer.answer('nothing', async () => undefined)
      answerer.answer('refuse', async () => {
        throw new NodeCallError({ code: 'MATCH_FULL', message: 'No seat', retryAfterMs: 5 })
      })
      answerer.answer('fail', async () => {
        throw Object.assign(new Error('a secret'), { code: 'ECONNREFUSED' })
      })
      expect(await asker.ask(two.node, 'double', 21, 5_000)).toEqual({ from: one.node, double: 42 })
      expect(await asker.ask(two.node, 'nothing', null, 5_000)).toBeUndefined()
      expect(await answerer.ask(two.node, 'double', 1, 5_000)).toEqual({ from: two.node, double: 2 })
      const refused = { code: 'MATCH_FULL', message: 'No seat', retryAfterMs: 5 }
      await expect(asker.ask(two.node, 'refuse', null, 5_000)).rejects.toMatchObject(refused)
      const failed = { code: 'INTERNAL', message: 'The other node failed' }
      await expect(asker.ask(two.node, 'fail', null, 5_000)).rejects.toMatchObject(failed)
      expect(errors.map(String)).toEqual(['Error: a secret'])
      await expect(asker.ask(two.node, 'unknown', null, 5_000)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    })

    test('fail at their deadline, and at once when the node leaves', async () => {
      await using cluster = await startCluster()
      const [one, two] = [await cluster.start(), await cluster.start()]
      await Promise.all([one, two].map((bus) => bus.subscribe('meet', () => {}).ready))
      const [asker, answerer] = [callsOf(one), callsOf(two)]
      answerer.answer('wait', () => new Promise(() => {}))
      const unavailable = { code: 'UNAVAILABLE' }
      await expect(asker.ask(two.node, 'wait', null, 20)).rejects.toMatchObject(unavailable)
      await expect(asker.ask('no such node', 'wait', null, 20)).rejects.toMatchObject(unavailable)
      const waiting = asker.ask(two.node, 'wait', null, 600_000)
      const failed = expect(waiting).rejects.toMatchObject(unavailable)
      await two.close()
      await within(failed, 'the call to fail')
    })

    test('tell without an answer, JSON or bytes, in order', async () => {
      await using cluster = await startCluster()
      const [one, two] = [await cluster.start(), await cluster.start()]
      await Promise.all([one, two].map((bus) => bus.subscribe('meet', () => {}).ready))
      const [teller, listener] = [callsOf(one), callsOf(two)]
      const told: unknown[] = []
      const done = new Promise<void>((resolve) => {
        listener.listen('news', (data, from) => {
          told.push([from, data instanceof Uint8Array ? [...data] : data])
          if (data === 'end') resolve()
        })
      })
      teller.tell(two.node, 'news', { a: 1 })
      teller.tell(two.node, 'news', Uint8Array.of(1, 255))
      teller.tell(two.node, 'news', 'end')
      await within(done, 'the news')
      expect(told).toEqual([
        [one.node, { a: 1 }],
        [one.node, [1, 255]],
        [one.node, 'end'],
      ])
    })
  })
})
