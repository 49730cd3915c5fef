import { readFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { connect, type Message, type TestClient, within } from '../support/client.ts'
import { anyBytes, type Rig, startRig } from '../support/rig.ts'

let rig: Rig
let client: TestClient

beforeAll(async () => {
  rig = await startRig({ limits: { ...anyBytes, requestsPerSecond: 100_000, requestsBurst: 100_000 } })
  client = await connect(rig.url)
})
afterAll(async () => {
  await client.close()
  await rig.stop()
})

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const envelope = (data: string, eid = 'e') => `{"type":"t.echo","eid":"${eid}","ts":1,"data":${data}}`

/** Sends a frame and returns the server's answer. */
async function answerTo(frame: string | Uint8Array): Promise<Message> {
  client.send(frame)
  return client.next()
}

/** What clients in other languages can be tested with. */
const Vector = z.object({ name: z.string(), frame: z.string(), answer: z.record(z.string(), z.unknown()) })
const vectors = z
  .object({ answered: z.array(Vector), refused: z.array(Vector) })
  .parse(JSON.parse(readFileSync('docs/vectors/envelopes.json', 'utf8')))

test.for(vectors.answered)('an envelope is answered: $name', async ({ frame, answer }) => {
  expect(await answerTo(frame)).toMatchObject(answer)
})

describe('a frame that is no envelope is answered with BAD_ENVELOPE, and the socket stays open', () => {
  test.for<readonly [string, string, Partial<Message>]>([
    ...vectors.refused.map(({ name, frame, answer }) => [name, frame, answer] as const),
    ['30,000 levels', envelope(nested(30_000)), { eid: 'unknown' }],
    ['30,000 openings', '['.repeat(30_000), { eid: 'unknown' }],
  ])('%s', async ([, frame, expected]) => {
    expect(await answerTo(frame)).toMatchObject({ ...expected, error: 'BAD_ENVELOPE' })
    expect(await client.call('t.echo', { value: 'on' })).toEqual({ value: 'on' })
  })

  test('a binary frame', async () => {
    expect(await answerTo(new Uint8Array([1, 2, 3]))).toMatchObject({ error: 'BAD_ENVELOPE', eid: 'unknown' })
  })
})

test('32 levels are fine', async () => {
  for (const value of [JSON.parse(nested(30)), JSON.parse(`[${nested(29)},${nested(29)}]`)]) {
    expect(await client.call('t.echo', { value })).toEqual({ value })
  }
})

test('brackets inside strings are no nesting, whatever is escaped around them', async () => {
  for (const value of ['['.repeat(200), `"${'{'.repeat(200)}`, `\\"${'['.repeat(200)}`, `\\\\${'['.repeat(100)}"\\`]) {
    expect(await client.call('t.echo', { value })).toEqual({ value })
  }
  // An escaped backslash before the quote does not escape the quote: the nesting after it counts.
  expect(await answerTo(`{"a":"\\\\","data":${nested(40)}}`)).toMatchObject({ error: 'BAD_ENVELOPE' })
})

test('unknown types, and names that every object has, are UNKNOWN_TYPE', async () => {
  for (const type of ['t.nothing', 'nobody.echo', 't.constructor', 't.toString', 'rpc.welcome']) {
    expect(await client.request(type)).toMatchObject({ type, error: 'UNKNOWN_TYPE' })
  }
})

test('data is checked against the schema, and may be left out where it is empty', async () => {
  client.send(JSON.stringify({ type: 'rpc.ping', eid: 'ping', ts: 1 }))
  expect(await client.next()).toMatchObject({ type: 'rpc.ping', eid: 'ping', data: {} })
  for (const data of [null, 7, 'x', [], { list: 7 }, { list: [], more: 1 }]) {
    expect(await client.request('t.strict', data)).toMatchObject({ error: 'VALIDATION_FAILED' })
  }
})

test('issues say where and what', async () => {
  const answer = await client.request('t.strict', {
    list: [
      { a: 1, b: 'x' },
      { a: 'one', b: 'z' },
    ],
  })
  expect(answer).toMatchObject({
    error: 'VALIDATION_FAILED',
    data: { issues: [{ path: 'list.1.a' }, { path: 'list.1.b' }] },
  })
})

test('strings with NUL or half a surrogate pair are refused, as values and as keys; whole pairs are not', async () => {
  for (const value of ['a\u0000b', { deep: ['\u0000'] }, { 'k\u0000': 1 }]) {
    expect(await client.request('t.echo', { value })).toMatchObject({
      error: 'VALIDATION_FAILED',
      data: { issues: [{ path: expect.stringMatching(/^value/) }] },
    })
  }
  for (const half of [
    '\\ud800',
    '\\udc00',
    'x\\ud83d',
    '\\ud800\\ud800',
    '\\uDC00',
    '\\ud83d\\udc4d\\udc4d',
    '\\\\\\ud800',
  ]) {
    client.send(envelope(`{"value":"${half}"}`))
    expect(await client.next()).toMatchObject({ eid: 'e', error: 'VALIDATION_FAILED' })
  }
  expect(await client.call('t.echo', { value: '👍' })).toEqual({ value: '👍' })
  client.send(envelope('{"value":"\\ud83d\\udc4d"}', 'pair'))
  expect(await client.next()).toMatchObject({ eid: 'pair', data: { value: '👍' } })
  client.send(envelope('{"value":"\\\\ud800 \\\\\\\\u0000"}', 'no escapes'))
  expect(await client.next()).toMatchObject({ eid: 'no escapes', data: { value: '\\ud800 \\\\u0000' } })
})

test('no error answer is larger than 2 KiB or has more than ten issues', async () => {
  client.keepRaw = true
  client.raw.length = 0
  const wide = '€'.repeat(60)
  const hostile = [
    { list: Array.from({ length: 3000 }, () => ({ a: 'x', b: 'q' })) },
    { list: [], ...Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`key-${i}`.repeat(3), 1])) },
    { ['k'.repeat(50_000)]: 1 },
    { [wide.repeat(100)]: 1, list: [] },
    { list: 'x'.repeat(60_000) },
    Array.from({ length: 5000 }, () => []),
  ]
  for (const data of hostile) {
    const answer = await client.request<{ issues: unknown[] }>('t.strict', data, { eid: '"'.repeat(64) })
    expect(answer.error).toBe('VALIDATION_FAILED')
    expect(answer.data.issues.length).toBeLessThanOrEqual(10)
  }
  const bad = ['\u0001'.repeat(10_000), `{"type":"${'a.'.repeat(20_000)}"}`]
  for (const frame of bad) expect(await answerTo(frame)).toMatchObject({ error: 'BAD_ENVELOPE' })
  expect(client.raw.length).toBe(hostile.length + bad.length)
  for (const text of client.raw) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2048)
  client.keepRaw = false
})

test('an INTERNAL error does not tell its cause; the log does, with the eid', async () => {
  const answer = await client.request('t.crash', {}, { eid: 'the-crash' })
  expect(answer).toMatchObject({ error: 'INTERNAL', data: { message: 'Something went wrong on the server' } })
  expect(JSON.stringify(answer)).not.toContain('hunter2')
  expect(rig.errors.splice(0)).toMatchObject([{ eid: 'the-crash', type: 't.crash', err: { message: /hunter2/ } }])
})

test('a method for users answers UNAUTHENTICATED without a user, and the socket stays open', async () => {
  expect(await client.request('t.secret')).toMatchObject({ error: 'UNAUTHENTICATED' })
  expect(await client.request('t.count')).toMatchObject({ error: 'UNAUTHENTICATED' })
  expect(await client.request('t.onMine')).toMatchObject({ error: 'UNAUTHENTICATED' })
  await client.call('rpc.ping')
})

describe('a frame that the transport refuses ends the connection and no other', () => {
  test('one that is too large', async () => {
    await using own = await connect(rig.url)
    const { frameBytes } = own.welcome.limits
    const value = 'x'.repeat(frameBytes - envelope('{"value":""}').length)
    own.send(envelope(JSON.stringify({ value })))
    expect(await own.next()).toMatchObject({ data: { value } })
    own.send(envelope(JSON.stringify({ value: `${value}x` })))
    expect([1006, 1009]).toContain((await within(own.closed, 'the closing')).code)
    await client.call('rpc.ping')
  })

  test('text that is no UTF-8, and bytes that are no frame', async () => {
    const handshake =
      'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n'
    const notUtf8 = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28])
    const reserved = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
    for (const bytes of [notUtf8, reserved]) {
      const tcp = connectTcp(rig.port, '127.0.0.1')
      tcp.write(handshake)
      await within(new Promise((resolve) => tcp.once('data', resolve)), 'the handshake')
      const ended = new Promise((resolve) => tcp.once('close', resolve))
      tcp.resume()
      tcp.write(bytes)
      await within(ended, 'the end')
    }
    await client.call('rpc.ping')
  })
})
