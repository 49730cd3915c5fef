import { describe, expect, test } from 'vitest'
import { connect, type Message, type Stream, type TestClient, within } from '../support/client.ts'
import { anyBytes, type Rig, startRig } from '../support/rig.ts'

interface Count {
  readonly count: number
}
interface Entry {
  readonly n: number
  readonly padding: string
}
type Log = Stream<Count, Entry>

const follow = (client: TestClient, key: string, more: object = {}): Promise<Log> =>
  client.subscribe<Count, Entry>('t.onLog', { key, ...more })

const tick = () => new Promise<void>(setImmediate)

/** Reads up to event `last` and returns the numbers that came. */
async function numbersUntil({ events }: Log, last: number, deadlineMs = 10_000): Promise<number[]> {
  const numbers: number[] = []
  while (numbers.at(-1) !== last) numbers.push((await events.next(undefined, deadlineMs)).data.n)
  return numbers
}

const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)

describe('a stream', () => {
  test('begins with a snapshot and goes on with events, in the envelope of the protocol', async () => {
    await using rig = await startRig()
    await using client = await connect(rig.url)
    for (let i = 0; i < 3; i++) rig.world.append('a')
    const log = await follow(client, 'a')
    expect(log.opening).toEqual({
      channel: 't.onLog/a',
      delivery: 'reliable',
      seq: 3,
      snapshot: { count: 3 },
    })
    rig.world.append('a')
    rig.world.append('other')
    rig.world.append('a')
    expect(await log.events.take(2)).toEqual([
      { type: 't.onLog', eid: 't.onLog/a', ts: expect.any(Number), seq: 4, data: { n: 4, padding: '' } },
      { type: 't.onLog', eid: 't.onLog/a', ts: expect.any(Number), seq: 5, data: { n: 5, padding: '' } },
    ])
    expect(client.inbox.size).toBe(0)
  })

  test.each([-1, 1.5, '3', null])('with a since of %j is refused', async (since) => {
    await using rig = await startRig()
    await using client = await connect(rig.url)
    const { error, data } = await client.request<{ issues?: unknown }>('t.onLog', { key: 'a', since })
    expect({ error, issues: data.issues }).toEqual({
      error: 'VALIDATION_FAILED',
      issues: [{ path: 'since', message: expect.any(String) }],
    })
  })

  test('of a log gives the events after since', async () => {
    await using rig = await startRig()
    await using client = await connect(rig.url)
    for (let i = 0; i < 5; i++) rig.world.append('a')
    const { opening } = await follow(client, 'a', { since: 3 })
    expect(opening).toMatchObject({
      seq: 5,
      missed: [
        { seq: 4, data: { n: 4 } },
        { seq: 5, data: { n: 5 } },
      ],
    })
  })

  test('ends for its reader with rpc.unsubscribe, which may be sent twice', async () => {
    await using rig = await startRig()
    await using client = await connect(rig.url)
    await using other = await connect(rig.url)
    const mine = await follow(client, 'a')
    const theirs = await follow(other, 'a')
    expect(await client.call('rpc.unsubscribe', { channel: mine.channel })).toEqual({})
    expect(await client.call('rpc.unsubscribe', { channel: mine.channel })).toEqual({})
    rig.world.append('a')
    await theirs.events.next()
    await client.call('rpc.ping')
    expect(mine.events.size).toBe(0)
  })

  test('ends for all with STREAM_CLOSED, and can be opened again', async () => {
    await using rig = await startRig()
    await using client = await connect(rig.url)
    const log = await follow(client, 'a')
    rig.world.append('a')
    rig.world.endLog('a')
    rig.world.append('a')
    const [event, end] = await log.events.take(2)
    expect(event?.seq).toBe(1)
    expect(end).toMatchObject({ type: 't.onLog', eid: 't.onLog/a', data: { reason: 'over' }, error: 'STREAM_CLOSED' })
    expect((await follow(client, 'a')).opening.seq).toBe(2)
    expect(log.events.size).toBe(0)
  })

  test('opened twice by one socket sends each event once', async () => {
    await using rig = await startRig()
    await using client = await connect(rig.url)
    const [first, second] = await Promise.all([follow(client, 'a', { slow: true }), follow(client, 'a')])
    expect(first.channel).toBe(second.channel)
    rig.world.append('a')
    await client.call('rpc.ping')
    expect(client.inbox.size + first.events.size + second.events.size).toBe(1)
  })

  test('is the same bytes for every reader', async () => {
    await using rig = await startRig()
    const clients = await Promise.all(Array.from({ length: 10 }, () => connect(rig.url)))
    const logs = await Promise.all(clients.map((client) => follow(client, 'a')))
    for (const client of clients) client.keepRaw = true
    for (let i = 0; i < 50; i++) rig.world.append('a', 'é'.repeat(i))
    await Promise.all(logs.map((log) => numbersUntil(log, 50)))
    const texts = clients.map(({ raw }) => raw.join('\n'))
    expect(new Set(texts).size).toBe(1)
    await Promise.all(clients.map((client) => client.close()))
  })
})

test('subscribing while thousands of events are published loses none and doubles none', async () => {
  await using rig = await startRig()
  const clients = await Promise.all(Array.from({ length: 40 }, () => connect(rig.url)))
  const total = 4000
  const publishing = (async () => {
    for (let i = 0; i < total; i++) {
      rig.world.append('a')
      // Bursts and pauses, so that events come during some snapshots and not during others.
      if (i % 7 === 0) await tick()
      if (i % 100 === 0) for (let j = 0; j < 10; j++) await tick()
    }
  })()
  const reading = clients.map(async (client, i) => {
    while (rig.world.log('a').seq < (i * total) / clients.length) await tick()
    for (;;) {
      const opened = await follow(client, 'a', { slow: i % 2 === 0 }).catch((error: unknown) => {
        // Too many events came while the snapshot was read, which is allowed.
        if (String(error).includes('UNAVAILABLE')) return undefined
        throw error
      })
      if (!opened) continue
      const { seq, snapshot } = opened.opening
      expect(snapshot).toEqual({ count: seq })
      expect(seq === total ? [] : await numbersUntil(opened, total)).toEqual(range(seq + 1, total))
      return seq
    }
  })
  await publishing
  const starts = await Promise.all(reading)
  // The test shows nothing if all of them came before or after.
  expect(new Set(starts).size).toBeGreaterThan(10)
  await Promise.all(clients.map((client) => client.call('rpc.ping')))
  for (const client of clients) expect(client.inbox.size).toBe(0)
  await Promise.all(clients.map((client) => client.close()))
})

test('subscribing and leaving again and again while events are published loses none in between', async () => {
  await using rig = await startRig()
  await using client = await connect(rig.url)
  await using steady = await connect(rig.url)
  const all = await follow(steady, 'a')
  let isOver = false
  const publishing = (async () => {
    while (!isOver) {
      rig.world.append('a')
      await tick()
      await tick()
    }
  })()
  for (let round = 0; round < 30; round++) {
    const log = await follow(client, 'a')
    const numbers = (await log.events.take(5)).map(({ data }) => data.n)
    expect(numbers).toEqual(range(log.opening.seq + 1, log.opening.seq + 5))
    await client.call('rpc.unsubscribe', { channel: log.channel })
  }
  isOver = true
  await publishing
  expect(await numbersUntil(all, rig.world.log('a').seq)).toEqual(range(1, rig.world.log('a').seq))
})

/** 8 KiB: a socket that does not read still takes megabytes, most of them in the kernel. */
const PADDING = 'x'.repeat(8192)

async function publishUntil(rig: Rig, publish: () => void, isEnough: () => boolean): Promise<void> {
  const until = Date.now() + 10_000
  while (!isEnough()) {
    if (Date.now() > until) throw new Error(`still not enough; ${rig.dispatcher.connections.size} sockets`)
    for (let i = 0; i < 10; i++) publish()
    await tick()
  }
}

describe('a client that does not read', () => {
  test('a reliable stream is closed with 4008 without a gap before; the others get every event without delay', async () => {
    await using rig = await startRig({ limits: { unsentBytes: 256 * 1024 } })
    await using slow = await connect(rig.url)
    await using quick = await connect(rig.url)
    const slowLog = await follow(slow, 'a')
    const quickLog = await follow(quick, 'a')
    slow.socket.pause()
    const delays: number[] = []
    const reading = (async () => {
      for (;;) {
        const event = await quickLog.events.next()
        delays.push(Date.now() - event.ts)
        if (event.data.padding === 'last') return event.data.n
      }
    })()
    await publishUntil(
      rig,
      () => rig.world.append('a', PADDING),
      () => rig.dispatcher.connections.size === 1,
    )
    for (let i = 0; i < 100; i++) rig.world.append('a', PADDING)
    rig.world.append('a', 'last')
    const last = await reading
    expect(delays).toHaveLength(last)
    expect(delays.sort((a, b) => a - b).at(-1)).toBeLessThan(1000)

    slow.socket.resume()
    expect(await within(slow.closed, 'the closing')).toMatchObject({ code: 4008 })
    const got = slowLog.events.drain().map(({ data }) => data.n)
    expect(got).toEqual(range(1, got.length))
    expect(got.length).toBeLessThan(last)
    // It reconnects for the rest.
    await using back = await connect(rig.url)
    const resumed = await follow(back, 'a', { since: got.length })
    expect(resumed.opening.missed?.map(({ seq }) => seq)).toEqual(range(got.length + 1, last))
    expect(rig.server.stats.closed.get(4008)).toBe(1)
  })

  test('anything is cut after a moment, and costs no more memory than its bound', async () => {
    await using rig = await startRig({ limits: { unsentBytes: 256 * 1024 } })
    await using slow = await connect(rig.url)
    await follow(slow, 'a')
    slow.socket.pause()
    const [connection] = [...rig.dispatcher.connections]
    if (!connection) throw new Error('no connection')
    let most = 0
    await publishUntil(
      rig,
      () => rig.world.append('a', PADDING),
      () => {
        most = Math.max(most, connection.unsentBytes())
        return connection.closed
      },
    )
    expect(most).toBeGreaterThan(256 * 1024)
    expect(most).toBeLessThan(256 * 1024 + 64 * 1024)
    expect(rig.server.stats.open).toBe(1)
    await expect.poll(() => rig.server.stats.open, { timeout: 6000 }).toBe(0)
    expect(connection.unsentBytes()).toBe(0)
  })

  test('its answers is closed with 4008', async () => {
    await using rig = await startRig({
      limits: {
        ...anyBytes,
        unsentBytes: 256 * 1024,
        requestsPerSecond: 1e6,
        requestsBurst: 1e6,
        requestsInFlight: 1000,
      },
    })
    await using slow = await connect(rig.url)
    slow.socket.pause()
    const frame = JSON.stringify({ type: 't.echo', eid: 'e', ts: 1, data: { value: 'x'.repeat(60_000) } })
    await publishUntil(
      rig,
      () => slow.socket.bufferedAmount < 1e6 && slow.send(frame),
      () => rig.dispatcher.connections.size === 0,
    )
    slow.socket.resume()
    expect([4008, 1006]).toContain((await within(slow.closed, 'the closing')).code)
  })

  test('a latest stream is skipped, gets the newest state and stays open; the others get every event', async () => {
    await using rig = await startRig()
    await using slow = await connect(rig.url)
    await using quick = await connect(rig.url)
    const slowFrames = await slow.subscribe<Entry>('t.onFrame')
    const quickFrames = await quick.subscribe<Entry>('t.onFrame')
    slow.socket.pause()
    const connection = [...rig.dispatcher.connections].find(({ following }) => following.size > 0)
    if (!connection) throw new Error('no connection')
    // One frame at a time, as a game does: the hub checks backlogs ten times a second.
    const isSkipped = () => [...connection.following.values()].some(({ skippedFrom }) => skippedFrom !== null)
    const until = Date.now() + 15_000
    while (!isSkipped() && Date.now() < until) {
      for (let i = 0; i < 20; i++) rig.world.show(PADDING)
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    expect(isSkipped()).toBe(true)
    const unsent = connection.unsentBytes()
    for (let i = 0; i < 100; i++) rig.world.show(PADDING)
    await tick()
    expect(connection.unsentBytes()).toBe(unsent)
    const newest = rig.world.frame

    slow.socket.resume()
    const seen: Message<Entry>[] = []
    while (seen.at(-1)?.seq !== newest) seen.push(await slowFrames.events.next())
    // It got the newest of the last hundred.
    expect(seen.length).toBeLessThanOrEqual(newest - 99)
    const numbers = seen.map(({ seq = 0 }) => seq)
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
    rig.world.show('after')
    expect(await slowFrames.events.next()).toMatchObject({ seq: newest + 1, data: { padding: 'after' } })
    expect((await quickFrames.events.take(newest + 1)).map(({ seq }) => seq)).toEqual(range(1, newest + 1))
  })
})
