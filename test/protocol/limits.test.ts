import { describe, expect, test } from 'vitest'
import { connect, type Failure, within } from '../support/client.ts'
import { startRig } from '../support/rig.ts'

describe('requests a second', () => {
  test('over the burst are refused with the time to wait, and accepted after it', async () => {
    await using rig = await startRig({ limits: { requestsPerSecond: 20, requestsBurst: 10 } })
    await using client = await connect(rig.url)
    const answers = await Promise.all(Array.from({ length: 15 }, () => client.request<Failure>('rpc.ping')))
    const refused = answers.filter(({ error }) => error !== undefined)
    expect(refused).toHaveLength(5)
    for (const { error, data } of refused) {
      expect(error).toBe('RATE_LIMITED')
      expect(data.retryAfterMs).toBeGreaterThan(0)
      expect(data.retryAfterMs).toBeLessThanOrEqual(50)
    }
    await new Promise((resolve) => setTimeout(resolve, refused[0]?.data.retryAfterMs))
    expect(await client.request('rpc.ping')).not.toHaveProperty('error')
  })

  test('one socket over its limit does not affect another', async () => {
    await using rig = await startRig({ limits: { requestsPerSecond: 1, requestsBurst: 2 } })
    await using greedy = await connect(rig.url)
    await using modest = await connect(rig.url)
    await Promise.all(Array.from({ length: 5 }, () => greedy.request('rpc.ping')))
    expect(await modest.call('rpc.ping')).toEqual({})
  })

  test.for<[string, () => string | Uint8Array]>([
    ['good requests', () => '{"type":"rpc.ping","eid":"e","ts":1}'],
    ['unknown types', () => '{"type":"no.where","eid":"e","ts":1}'],
    ['no JSON', () => '{'],
    ['binary frames', () => new Uint8Array(4)],
  ])('a flood of %s ends with 4029', async ([, frame]) => {
    await using rig = await startRig()
    await using client = await connect(rig.url)
    await using other = await connect(rig.url)
    const flood = async () => {
      for (let i = 0; i < 200 && client.socket.readyState === client.socket.OPEN; i++) {
        for (let j = 0; j < 100; j++) client.send(frame())
        await new Promise(setImmediate)
      }
    }
    const closed = within(client.closed, 'the closing', 10_000)
    await flood()
    expect(await closed).toMatchObject({ code: 4029 })
    const refusals = client.inbox.drain().filter(({ error }) => error === 'RATE_LIMITED').length
    expect(refusals).toBeLessThanOrEqual(1200)
    expect(await other.call('rpc.ping')).toEqual({})
  })

  test('inputs are counted apart from requests, and answered only when they are refused', async () => {
    await using rig = await startRig({ limits: { inputsPerSecond: 30, requestsBurst: 5, requestsPerSecond: 5 } })
    await using client = await connect(rig.url)
    for (let i = 0; i < 30; i++) client.send(`{"type":"t.input","eid":"i${i}","ts":1,"data":{"move":1}}`)
    expect(await client.call('rpc.ping')).toEqual({})
    expect(rig.world.inputs).toBe(30)
    expect(client.inbox.size).toBe(0)
    // More than a second allows, as some are allowed again while the test runs.
    for (let i = 0; i < 60; i++) client.send(`{"type":"t.input","eid":"more${i}","ts":1,"data":{"move":1}}`)
    expect(await client.inbox.next()).toMatchObject({ type: 't.input', error: 'RATE_LIMITED' })
    expect(await client.call('rpc.ping')).toEqual({})
  })

  test('an input that is wrong is answered', async () => {
    await using rig = await startRig()
    await using client = await connect(rig.url)
    expect(await client.request('t.input', { move: 'up' })).toMatchObject({ error: 'VALIDATION_FAILED' })
  })
})

test('a method has a limit of its own, per user or address', async () => {
  await using rig = await startRig()
  await using first = await connect(rig.url)
  await using second = await connect(rig.url)
  await using ada = await connect(rig.url, { cookie: await rig.cookieOf('ada') })
  await first.call('t.limited')
  await second.call('t.limited')
  const refused = await first.request<Failure>('t.limited')
  expect(refused.error).toBe('RATE_LIMITED')
  expect(refused.data.retryAfterMs).toBeGreaterThan(25_000)
  expect(await ada.call('t.limited')).toEqual({})
})

test('so many requests may wait at once; a place is free again after an answer', async () => {
  await using rig = await startRig({ limits: { requestsInFlight: 4, requestMs: 400 } })
  await using client = await connect(rig.url)
  const waiting = Array.from({ length: 4 }, () => client.request('t.hang'))
  expect(await client.request('t.hang')).toMatchObject({ error: 'RATE_LIMITED', data: { retryAfterMs: 100 } })
  for (const answer of await Promise.all(waiting)) expect(answer.error).toBe('TIMEOUT')
  expect(await client.call('t.echo', { value: 1 })).toEqual({ value: 1 })
})

test('a request that takes too long is answered with TIMEOUT, once', async () => {
  await using rig = await startRig({ limits: { requestMs: 300 } })
  await using client = await connect(rig.url)
  const began = performance.now()
  expect(await client.request('t.hang')).toMatchObject({ error: 'TIMEOUT' })
  expect(performance.now() - began).toBeGreaterThanOrEqual(290)
  expect(performance.now() - began).toBeLessThan(800)
  rig.world.letGo()
  await client.call('rpc.ping')
  expect(client.inbox.size).toBe(0)
})

test('a stream that opens after its TIMEOUT is not joined', async () => {
  await using rig = await startRig({ limits: { requestMs: 200 } })
  await using client = await connect(rig.url)
  expect(await client.request('t.onHang')).toMatchObject({ error: 'TIMEOUT' })
  // The snapshot is read again once the hub listens to the stream.
  for (let read = 0; read < 2; read++) {
    await expect.poll(() => rig.world.hanging).toBe(1)
    rig.world.letGo()
  }
  await client.call('rpc.ping')
  expect(client.inbox.size).toBe(0)
  expect([...rig.dispatcher.connections].map(({ following, inFlight }) => [following.size, inFlight])).toEqual([[0, 0]])
})

test('a socket has a limit of subscriptions; leaving one makes room for another', async () => {
  await using rig = await startRig({ limits: { subscriptions: 3 } })
  await using client = await connect(rig.url)
  const [first] = await Promise.all(['a', 'b', 'c'].map((key) => client.subscribe('t.onLog', { key })))
  expect(await client.request('t.onLog', { key: 'd' })).toMatchObject({ error: 'RATE_LIMITED' })
  await client.call('rpc.unsubscribe', { channel: first?.channel })
  await client.subscribe('t.onLog', { key: 'd' })
})

test('subscriptions opened at the same time do not pass the limit together', async () => {
  await using rig = await startRig({ limits: { subscriptions: 3 } })
  await using client = await connect(rig.url)
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
  const answers = await Promise.all(keys.map((key) => client.request('t.onLog', { key, slow: true })))
  expect(answers.filter(({ error }) => error === undefined)).toHaveLength(3)
})
