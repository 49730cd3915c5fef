import { connect as connectTcp } from 'node:net'
import { test as base, describe, expect } from 'vitest'
import { RpcError } from '../../src/rpc/index.ts'
import { connect } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { type Rig, startRig } from '../support/rig.ts'

const test = base.extend<{ rig: Rig }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
  rig: async ({}, use) => {
    await using rig = await startRig({ limits: { requestMs: 300 } })
    await use(rig)
  },
})

const JSON_TYPE = { 'Content-Type': 'application/json' }

async function post(rig: Rig, type: string, body: unknown = {}, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return fetch(`${rig.url}/rpc/${type}`, { method: 'POST', body: text, headers: { ...JSON_TYPE, ...headers } })
}

const get = (rig: Rig, path: string, headers: Record<string, string> = {}) => fetch(`${rig.url}${path}`, { headers })
const dataOf = (data: unknown) => encodeURIComponent(JSON.stringify(data))
const seen = async (answer: Response) => ({ status: answer.status, body: await answer.json() })

describe('what is called', () => {
  test('a method answers a POST with its data, a read also a GET', async ({ rig }) => {
    expect(await seen(await post(rig, 't.echo', { value: [1, 'é'] }))).toEqual({
      status: 200,
      body: { value: [1, 'é'] },
    })
    const answer = await get(rig, `/rpc/t.echo?data=${dataOf({ value: 'a+b c&d' })}`)
    expect(await seen(answer)).toEqual({ status: 200, body: { value: 'a+b c&d' } })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await seen(await get(rig, '/rpc/t.whoAmI'))).toMatchObject({ status: 200, body: { username: null } })
    const head = await fetch(`${rig.url}/rpc/t.whoAmI`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect(rig.dispatcher.entries.get('t.echo')).toMatchObject({ stats: { ok: 2 } })
  })

  test('a write is no GET, and streams, inputs and unknown names are refused with the reason', async ({ rig }) => {
    const cookie = await rig.cookieOf('ada')
    const written = await get(rig, '/rpc/t.count', { Cookie: cookie })
    expect([written.status, written.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
    const missing = async (type: string) => {
      const answered = [await seen(await post(rig, type)), await seen(await get(rig, `/rpc/${type}`))]
      expect(answered[0]).toEqual(answered[1])
      return answered[0]
    }
    const refused = (message: string) => ({ status: 404, body: { error: 'UNKNOWN_TYPE', data: { message } } })
    expect(await missing('t.onLog')).toEqual(refused('t.onLog is a stream: open it on a socket, /ws'))
    expect(await missing('t.input')).toEqual(refused('t.input is an input: send it on a socket, /ws'))
    expect(await missing('t.nothing')).toEqual(refused('There is no such type'))
    expect(await missing('constructor')).toEqual(refused('There is no such type'))
    expect(rig.world).toMatchObject({ count: 0, inputs: 0 })
  })

  test.for([
    ['not JSON', '{', 400, 'BAD_ENVELOPE'],
    ['deep JSON', '['.repeat(40) + ']'.repeat(40), 400, 'BAD_ENVELOPE'],
    ['NUL', '{"value":"\\u0000"}', 400, 'VALIDATION_FAILED'],
    ['a wrong type', '{"list":7}', 400, 'VALIDATION_FAILED'],
  ] as const)('%s is answered with the code and its status', async ([, body, status, error], { rig }) => {
    expect(await seen(await post(rig, 't.strict', body))).toMatchObject({ status, body: { error } })
    const answer = await get(rig, `/rpc/t.strict?data=${encodeURIComponent(body)}`)
    expect(await seen(answer)).toMatchObject({ status, body: { error } })
  })

  test('each code has its status, and what is worth a retry says when', async ({ rig }) => {
    const crashed = await seen(await post(rig, 't.crash'))
    expect(crashed).toEqual({ status: 500, body: { error: 'INTERNAL', data: { message: expect.any(String) } } })
    expect(JSON.stringify(crashed)).not.toContain('hunter2')
    const anonymous = await post(rig, 't.secret')
    expect([anonymous.status, anonymous.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    const hanging = await post(rig, 't.hang')
    expect([hanging.status, hanging.headers.get('retry-after')]).toEqual([504, '1'])
    rig.world.letGo()
    const limited = [await post(rig, 't.limited'), await post(rig, 't.limited'), await post(rig, 't.limited')]
    expect(limited.map(({ status }) => status)).toEqual([200, 200, 429])
    expect(Number(limited[2]?.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})

describe('who calls', () => {
  test('the session cookie is the identity; one that ended, is forged or of a banned user is refused and cleared', async ({
    rig,
  }) => {
    const cookie = await rig.cookieOf('ada')
    const asAda = await get(rig, '/rpc/t.whoAmI', { Cookie: cookie })
    expect(await asAda.json()).toMatchObject({ username: 'ada' })
    expect(asAda.headers.getSetCookie()).toEqual([])

    const cleared = [expect.stringContaining('rally=; Max-Age=0')]
    const forged = await get(rig, '/rpc/t.whoAmI', { Cookie: 'rally=forged' })
    expect([forged.status, forged.headers.getSetCookie()]).toEqual([401, cleared])
    rig.gate.sessions.clear()
    const ended = await get(rig, '/rpc/t.whoAmI', { Cookie: cookie })
    expect([ended.status, ended.headers.getSetCookie()]).toEqual([401, cleared])

    rig.gate.resume = () => Promise.reject(new RpcError('BANNED', 'You are banned: cheated'))
    const banned = await get(rig, '/rpc/t.whoAmI', { Cookie: cookie })
    expect(banned.headers.getSetCookie()).toEqual(cleared)
    expect(await seen(banned)).toEqual({
      status: 403,
      body: { error: 'BANNED', data: { message: 'You are banned: cheated' } },
    })
  })

  test('a session that ends while its request waits is not served', async ({ rig }) => {
    const cookie = await rig.cookieOf('ada')
    let letGo = () => {}
    rig.gate.hold = new Promise((resolve) => {
      letGo = resolve
    })
    const answer = post(rig, 't.count', {}, { Cookie: cookie })
    await eventually(
      async () => rig.gate.calls,
      (calls) => calls.length === 1,
    )
    rig.dispatcher.connections.closeCredential('id-of-ada', 'session-of-ada', 4501, 'the session has ended')
    letGo()
    expect((await answer).status).toBe(401)
    expect(rig.world.count).toBe(0)
  })

  test('another site is refused, with a cookie and without, but an allowed origin gets its CORS headers', async () => {
    await using rig = await startRig({ config: { allowedOrigins: new Set(['https://play.example']) } })
    const cookie = await rig.cookieOf('ada')
    for (const foreign of [
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
    ]) {
      expect(await seen(await post(rig, 't.count', {}, { ...foreign, Cookie: cookie }))).toMatchObject({
        status: 403,
        body: { error: 'FORBIDDEN' },
      })
      expect((await get(rig, '/rpc/t.whoAmI', { ...foreign, Cookie: cookie })).status).toBe(403)
    }
    expect(rig.world.count).toBe(0)
    expect(rig.gate.calls).toEqual([])
    for (const own of [{}, { 'Sec-Fetch-Site': 'same-origin' }, { 'Sec-Fetch-Site': 'none' }]) {
      expect((await get(rig, '/rpc/t.whoAmI', { ...own, Cookie: cookie })).status).toBe(200)
    }

    const page = { Origin: 'https://play.example', 'Sec-Fetch-Site': 'cross-site' }
    const asked = await fetch(`${rig.url}/rpc/t.count`, { method: 'OPTIONS', headers: page })
    expect([asked.status, asked.headers.get('access-control-allow-methods')]).toEqual([204, 'POST'])
    expect(asked.headers.get('access-control-allow-headers')).toContain('Idempotency-Key')
    const answer = await post(rig, 't.count', {}, { ...page, Cookie: cookie })
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, 'https://play.example'])
    const foreignAsked = await fetch(`${rig.url}/rpc/t.count`, {
      method: 'OPTIONS',
      headers: { Origin: 'https://e.example' },
    })
    expect(foreignAsked.status).toBe(403)
  })
})

describe('how often', () => {
  test('a write with an Idempotency-Key runs once, on sockets too; without one each request is a new one', async ({
    rig,
  }) => {
    const cookie = await rig.cookieOf('ada')
    const key = { Cookie: cookie, 'Idempotency-Key': 'order-1' }
    const first = await seen(await post(rig, 't.count', {}, key))
    expect(first).toEqual({ status: 200, body: { count: 1 } })
    expect(await seen(await post(rig, 't.count', {}, key))).toEqual(first)
    await using client = await connect(rig.url, { cookie })
    expect(await client.request('t.count', {}, { eid: 'order-1' })).toMatchObject({ data: { count: 1 } })
    for (const fail of [1, 2]) {
      const failed = await post(rig, 't.count', { fail: true }, { ...key, 'Idempotency-Key': `no-${fail > 0}` })
      expect(await seen(failed)).toMatchObject({ status: 404, body: { data: { message: 'there is no 2' } } })
    }
    expect(await seen(await post(rig, 't.count', {}, { Cookie: cookie }))).toMatchObject({ body: { count: 3 } })
    expect(await seen(await post(rig, 't.count', {}, { Cookie: cookie }))).toMatchObject({ body: { count: 4 } })

    const bad = await post(rig, 't.count', {}, { ...key, 'Idempotency-Key': 'x'.repeat(65) })
    expect(await seen(bad)).toMatchObject({ status: 400, body: { error: 'BAD_ENVELOPE' } })
    expect(rig.world.count).toBe(4)
  })

  test('requests are counted for the address before they are read, and for the user', async () => {
    const limits = { requestsPerSecond: 0.01, requestsBurst: 2, timesPerIp: 1, timesPerUser: 1 }
    await using rig = await startRig({ limits })
    const sent = [await post(rig, 't.whoAmI'), await post(rig, 't.whoAmI'), await post(rig, 't.whoAmI', '{')]
    expect(sent.map(({ status }) => status)).toEqual([200, 200, 429])
    expect(rig.dispatcher.admission.refused.http_request).toBe(1)

    await using other = await startRig({ limits: { ...limits, timesPerIp: 1000 } })
    const cookie = await other.cookieOf('ada')
    const ofAda = async () => (await get(other, '/rpc/t.whoAmI', { Cookie: cookie })).status
    expect([await ofAda(), await ofAda(), await ofAda()]).toEqual([200, 200, 429])
    expect((await get(other, '/rpc/t.whoAmI')).status).toBe(200)
  })

  test('a body is bounded by a frame, and without a user by a smaller one; its kind and length have to be clear', async ({
    rig,
  }) => {
    const cookie = await rig.cookieOf('ada')
    const long = { value: 'x'.repeat(9_000) }
    expect(await seen(await post(rig, 't.echo', long))).toMatchObject({ status: 400 })
    expect((await post(rig, 't.echo', long, { Cookie: cookie })).status).toBe(200)
    expect((await post(rig, 't.echo', { value: 'x'.repeat(70_000) }, { Cookie: cookie })).status).toBe(413)
    expect((await post(rig, 't.whoAmI', {}, { 'Content-Type': 'text/plain' })).status).toBe(415)
    const chunked = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{}'))
        controller.close()
      },
    })
    const init = { method: 'POST', body: chunked, headers: JSON_TYPE, duplex: 'half' } as const
    expect((await fetch(`${rig.url}/rpc/t.whoAmI`, init)).status).toBe(411)
  })
})

describe('when something goes wrong', () => {
  test('a client that leaves does no harm: its write is done, and answered to a retry', async ({ rig }) => {
    const cookie = await rig.cookieOf('ada')
    const socket = connectTcp(rig.port, '127.0.0.1')
    socket.write(
      `POST /rpc/t.count HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nContent-Type: application/json\r\n` +
        'Idempotency-Key: left\r\nContent-Length: 2\r\n\r\n{}',
    )
    await eventually(
      async () => rig.gate.calls,
      (calls) => calls.length === 1,
    )
    socket.destroy()
    await eventually(
      async () => rig.world.count,
      (count) => count === 1,
    )
    const again = await post(rig, 't.count', {}, { Cookie: cookie, 'Idempotency-Key': 'left' })
    expect(await seen(again)).toEqual({ status: 200, body: { count: 1 } })
    expect(rig.errors).toEqual([])
  })

  test('a node that leaves waits for the request under way, and refuses the next with 503', async ({ rig }) => {
    const waiting = post(rig, 't.hang')
    await eventually(
      async () => rig.dispatcher.inFlight,
      (calls) => calls === 1,
    )
    const drained = rig.dispatcher.drain(5_000)
    rig.world.letGo()
    expect((await waiting).status).toBe(200)
    await drained
    rig.dispatcher.refuseRequests()
    const refused = await post(rig, 't.whoAmI')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
  })

  test('sessions that cannot be looked up are a 503', async ({ rig }) => {
    const cookie = await rig.cookieOf('ada')
    rig.gate.fails = true
    const answer = await post(rig, 't.count', {}, { Cookie: cookie })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    expect((await post(rig, 't.whoAmI')).status).toBe(200)
  })
})
