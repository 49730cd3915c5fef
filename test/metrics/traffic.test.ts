import { describe, expect, test } from 'vitest'
import { connect } from '../support/client.ts'
import { type Rig, startRig } from '../support/rig.ts'

/** The bytes of all text messages that come. */
function countBytes(client: Awaited<ReturnType<typeof connect>>): () => number {
  let bytes = 0
  client.socket.on('message', (data: Buffer) => {
    bytes += data.length
  })
  return () => bytes
}

test('the bytes of sockets are those that they receive and send, of answers and of streams', async () => {
  await using rig = await startRig()
  await using one = await connect(rig.url)
  await using two = await connect(rig.url)
  const { sentBytes, receivedBytes } = rig.server.stats
  const [got, alsoGot] = [countBytes(one), countBytes(two)]
  const frame = JSON.stringify({ type: 't.echo', data: { value: 'Grüße 🎾' }, eid: 'e', ts: 1 })
  one.send(frame)
  await one.next()
  expect(rig.server.stats.receivedBytes - receivedBytes).toBe(Buffer.byteLength(frame))
  const logs = [await one.subscribe('t.onLog', { key: 'a' }), await two.subscribe('t.onLog', { key: 'a' })]
  rig.world.append('a', 'Grüße')
  for (const { events } of logs) await events.next()
  await two.call('rpc.unsubscribe', { channel: logs[1]?.channel })
  rig.world.append('a', 'only one hears this')
  await logs[0]?.events.next()
  expect(rig.server.stats.sentBytes - sentBytes).toBe(got() + alsoGot())
})

describe('a socket that does not read', () => {
  const limits = { latestUnsentBytes: 64 * 1024, unsentBytes: 512 * 1024 }
  const padding = 'x'.repeat(32 * 1024)
  const answer = JSON.stringify({ type: 't.echo', eid: 'e', ts: 1, data: { value: padding } })

  test('is left out of latest streams, which is counted, and not its bytes', async () => {
    await using rig = await startRig({ limits })
    await using slow = await connect(rig.url)
    const frames = await slow.subscribe('t.onFrame')
    slow.socket.pause()
    await expect
      .poll(() => {
        for (let count = 0; count < 20; count++) rig.world.show(padding)
        return rig.hub.stats.skips
      })
      .toBe(1)
    const { sentBytes } = rig.server.stats
    rig.world.show(padding)
    expect(rig.server.stats.sentBytes).toBe(sentBytes)
    slow.socket.resume()
    const newest = rig.world.frame
    await frames.events.next((message) => (message.data as { n?: number }).n === newest)
    expect(rig.server.stats.droppedFrames).toBe(0)
  })

  test('of a stream whose events build on one another is counted out once when it falls behind', async () => {
    await using rig = await startRig({ limits })
    await using slow = await connect(rig.url)
    await using other = await connect(rig.url)
    const behind = await slow.subscribe('t.onStep')
    const steps = await other.subscribe('t.onStep')
    slow.socket.pause()
    await expect
      .poll(() => {
        for (let count = 0; count < 20; count++) rig.world.advance(padding)
        return rig.hub.stats.skips
      })
      .toBe(1)
    slow.socket.resume()
    await behind.events.next(({ error }) => error === 'STREAM_CLOSED')
    const last = rig.world.step
    await steps.events.next(({ seq }) => seq === last)
    const { sentBytes } = rig.server.stats
    const got = countBytes(other)
    rig.world.advance()
    await steps.events.next(({ seq }) => seq === last + 1)
    expect(rig.server.stats.sentBytes - sentBytes).toBe(got())
  })

  test.each([
    ['an event', (rig: Rig) => rig.world.append('a', padding)],
    ['an answer', ({ dispatcher }: Rig) => [...dispatcher.connections][0]?.send(answer)],
  ])('is closed with 4008 for %s that it has no room for, which is counted once', async (_, send) => {
    await using rig = await startRig({ limits })
    await using slow = await connect(rig.url)
    await slow.subscribe('t.onLog', { key: 'a' })
    slow.socket.pause()
    await expect
      .poll(() => {
        for (let count = 0; count < 20; count++) send(rig)
        return rig.dispatcher.connections.size
      })
      .toBe(0)
    expect(rig.server.stats.droppedFrames).toBe(1)
    // Its connection is cut, so no close frame reaches it.
    await expect.poll(() => rig.server.stats.closed.get(4008), { timeout: 6_000 }).toBe(1)
  })
})

test('what is refused is counted by what it was', async () => {
  await using rig = await startRig({ limits: { requestsPerSecond: 1, requestsBurst: 5, socketsPerIp: 1 } })
  await using client = await connect(rig.url)
  await expect(connect(rig.url)).rejects.toThrow('429')
  for (let count = 0; count < 3; count++) await client.request('t.limited')
  for (let count = 0; count < 4; count++) client.send(JSON.stringify({ type: 't.echo', data: {}, eid: 'e', ts: 1 }))
  await client.next(({ error }) => error === 'RATE_LIMITED')
  const { refused } = rig.dispatcher.admission
  expect([refused.socket, refused.call]).toEqual([1, 1])
  expect(refused.frame).toBeGreaterThan(0)
})
