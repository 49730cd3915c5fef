import { describe, expect, test, vi } from 'vitest'
import { Account, Accounts } from '../../src/rpc/token-buckets.ts'
import { connect, type Failure, type TestClient, within } from '../support/client.ts'
import { anyBytes, type Rig, startRig } from '../support/rig.ts'

/** So few that a test uses them up, and so slow that none come back while the test runs. */
const few = { requestsPerSecond: 0.01, requestsBurst: 10, timesPerUser: 1, timesPerIp: 1 }

const isRefused = ({ error }: { readonly error?: string }) => error === 'RATE_LIMITED'

/** How many of `count` requests are let through. */
async function letThrough(client: TestClient, count: number, type = 'rpc.ping', data: unknown = {}): Promise<number> {
  const answers = await Promise.all(Array.from({ length: count }, () => client.request(type, data)))
  return answers.filter((answer) => !isRefused(answer)).length
}

/** A socket that comes from `ip`, by way of a proxy that is trusted. */
const from = (rig: Rig, ip: string, cookie?: string) =>
  connect(rig.url, { headers: { 'X-Forwarded-For': ip }, ...(cookie === undefined ? {} : { cookie }) })
const behindProxy = { trustedProxyHops: 1 }

describe('a frame over a limit', () => {
  test('is not parsed; the refusal names the type and eid of its first bytes', async () => {
    await using rig = await startRig({ limits: few })
    await using client = await connect(rig.url)
    await letThrough(client, 10)
    // The parser would take the last of two keys.
    client.send('{"type":"t.first","eid":"e","ts":1,"data":{},"type":"t.second"}')
    expect(await client.next()).toMatchObject({ type: 't.first', eid: 'e', error: 'RATE_LIMITED' })
    client.send('{ "eid" : "spaced" , "type" : "t.echo", no JSON at all')
    expect(await client.next()).toMatchObject({ type: 't.echo', eid: 'spaced', error: 'RATE_LIMITED' })
    const value = 'x'.repeat(600)
    client.send(`{"type":"t.echo","data":"${value}","eid":"late","ts":1767225600000}`)
    expect(await client.next()).toMatchObject({ type: 't.echo', eid: 'late', error: 'RATE_LIMITED' })
    for (const frame of [`{"data":"${value}","type":"t.echo","eid":"e","more":1,"ts":1}`, 'nothing', '']) {
      client.send(frame)
      expect(await client.next()).toMatchObject({ type: 'rpc.error', eid: 'unknown', error: 'RATE_LIMITED' })
    }
    client.send('{"type":"t.echo","eid":"es\\u0063aped","ts":1}')
    expect(await client.next()).toMatchObject({ type: 't.echo', eid: 'unknown', error: 'RATE_LIMITED' })
  })

  test('is answered fifty times a second and no more, and ends with 4029', async () => {
    await using rig = await startRig({ limits: few })
    await using client = await connect(rig.url)
    for (let i = 0; i < 1_100; i++) client.send('{"type":"rpc.ping","eid":"e","ts":1}')
    expect(await within(client.closed, 'the closing')).toMatchObject({ code: 4029 })
    const refusals = client.inbox.drain().filter(isRefused)
    expect(refusals.length).toBeGreaterThanOrEqual(100)
    expect(refusals.length).toBeLessThan(400)
    expect(refusals[0]?.data.retryAfterMs).toBeGreaterThan(0)
  })

  test('also counts by its size: a few large ones close the socket with 4029', async () => {
    await using rig = await startRig()
    await using client = await connect(rig.url)
    const parts = Array.from({ length: 700 }, () => `"\\u0041",${'['.repeat(29)}${']'.repeat(29)}`)
    const hostile = `{"type":"rpc.ping","eid":"e","ts":1,"data":[${parts.join(',')}]}`
    // One turn of the server's loop may read so much from one socket.
    for (let i = 0; i < 120; i++) client.send(hostile)
    expect(await within(client.closed, 'the closing')).toMatchObject({ code: 4029 })
    const [answered] = client.inbox.drain()
    expect(answered?.error).toBe('BAD_ENVELOPE')
  })

  test('that begins like an input but is none is counted as a request', async () => {
    await using rig = await startRig({ limits: few })
    await using client = await connect(rig.url)
    await letThrough(client, 10)
    client.send('{"type":"t.input","eid":"e","ts":1,"data":{"value":1},"type":"t.echo"}')
    expect(await client.next()).toMatchObject({ eid: 'e', error: 'RATE_LIMITED' })
    expect(rig.world.inputs).toBe(0)
    client.send('{"type":"t.input","eid":"e","ts":1,"data":{"move":1}}')
    await expect.poll(() => rig.world.inputs).toBe(1)
  })
})

describe('one address', () => {
  test('has a limit of requests for all of its sockets together', async () => {
    await using rig = await startRig({ limits: few })
    await using first = await connect(rig.url)
    await using second = await connect(rig.url)
    expect(await letThrough(first, 6)).toBe(6)
    expect(await letThrough(second, 6)).toBe(4)
    await using third = await connect(rig.url)
    expect(await letThrough(third, 3)).toBe(0)
  })

  test('does not get a new burst when it reconnects', async () => {
    await using rig = await startRig({ limits: few })
    for (const expected of [10, 0, 0]) {
      await using client = await connect(rig.url)
      expect(await letThrough(client, 12)).toBe(expected)
      await client.close()
    }
  })

  test('has a limit of bytes for all of its sockets together', async () => {
    const limits = { ...few, requestsBurst: 100, frameBytes: 4096, bytesPerSecond: 1, bytesBurst: 8192 }
    await using rig = await startRig({ limits })
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(rig.url)))
    let passed = 0
    for (const client of clients) passed += await letThrough(client, 1, 't.echo', { value: 'x'.repeat(3000) })
    expect(passed).toBe(2)
    await Promise.all(clients.map((client) => client.close()))
    await using again = await connect(rig.url)
    expect(await letThrough(again, 1, 't.echo', { value: 'x'.repeat(3000) })).toBe(0)
  })

  test('is a /64 of IPv6, and an IPv4 address in any notation; a /48 has four times the limit', async () => {
    await using rig = await startRig({ limits: few, config: behindProxy })
    await using first = await from(rig, '2001:db8:1:1::1')
    await using neighbour = await from(rig, '2001:db8:1:1:ffff::2')
    expect((await letThrough(first, 6)) + (await letThrough(neighbour, 6))).toBe(10)
    let inWider = 10
    for (let i = 2; i < 8; i++) {
      await using other = await from(rig, `2001:db8:1:${i}::1`)
      inWider += await letThrough(other, 12)
    }
    expect(inWider).toBe(40)
    await using elsewhere = await from(rig, '2001:db8:2:1::1')
    expect(await letThrough(elsewhere, 12)).toBe(10)
    await using plain = await from(rig, '192.0.2.1')
    await using mapped = await from(rig, '::ffff:192.0.2.1')
    expect((await letThrough(plain, 6)) + (await letThrough(mapped, 6))).toBe(10)
  })

  test('shares the limits of methods as well, as a /64 of IPv6', async () => {
    await using rig = await startRig({ config: behindProxy })
    await using first = await from(rig, '2001:db8::1')
    await using neighbour = await from(rig, '2001:db8::2')
    expect(await letThrough(first, 1, 't.limited')).toBe(1)
    expect(await letThrough(neighbour, 3, 't.limited')).toBe(1)
    await using other = await from(rig, '2001:db8:0:1::1')
    expect(await letThrough(other, 3, 't.limited')).toBe(2)
    let inWider = 4
    for (let net = 2; net < 6; net++) {
      await using more = await from(rig, `2001:db8:0:${net}::1`)
      inWider += await letThrough(more, 3, 't.limited')
    }
    expect(inWider).toBe(8)
  })

  test('keeps the limit of signed-in players when strangers have used theirs up', async () => {
    await using rig = await startRig({ limits: few })
    await using stranger = await connect(rig.url)
    expect(await letThrough(stranger, 12)).toBe(10)
    await using player = await connect(rig.url, { cookie: await rig.cookieOf('ada') })
    expect(await letThrough(player, 6)).toBe(6)
    await using other = await connect(rig.url, { cookie: await rig.cookieOf('ben') })
    expect(await letThrough(other, 6)).toBe(4)
  })
})

test('a user has a limit of requests for all addresses together', async () => {
  await using rig = await startRig({ limits: few, config: behindProxy })
  const cookie = await rig.cookieOf('ada')
  await using home = await from(rig, '192.0.2.1', cookie)
  await using away = await from(rig, '192.0.2.2', cookie)
  expect(await letThrough(home, 6)).toBe(6)
  expect(await letThrough(away, 6)).toBe(4)
  await using other = await from(rig, '192.0.2.2', await rig.cookieOf('ben'))
  expect(await letThrough(other, 6)).toBe(6)
})

test('a socket without a user may only send smaller frames, and the welcome says so', async () => {
  await using rig = await startRig()
  await using stranger = await connect(rig.url)
  await using player = await connect(rig.url, { cookie: await rig.cookieOf('ada') })
  const { anonymousFrameBytes } = stranger.welcome.limits
  const value = 'x'.repeat(anonymousFrameBytes)
  const refused = await stranger.request<Failure>('t.echo', { value }, { eid: 'large' })
  expect(refused).toMatchObject({ type: 't.echo', eid: 'large', error: 'BAD_ENVELOPE' })
  expect(refused.data.message).toContain(`${anonymousFrameBytes} bytes`)
  expect(await stranger.call('t.echo', { value: value.slice(200) })).toEqual({ value: value.slice(200) })
  expect(await player.call('t.echo', { value })).toEqual({ value })
})

test('a clock that is set back refuses nobody', async () => {
  await using rig = await startRig({ limits: { requestsPerSecond: 20, requestsBurst: 5, anonymousIdleMs: 1_000 } })
  await using client = await connect(rig.url, { cookie: await rig.cookieOf('ada') })
  await client.call('t.limited')
  const now = Date.now()
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now - 60_000)
  try {
    await client.call('t.limited')
    for (let i = 0; i < 15; i++) {
      const answer = await client.request<Failure>('rpc.ping')
      if (isRefused(answer)) await new Promise((resolve) => setTimeout(resolve, answer.data.retryAfterMs))
      expect(answer.data.retryAfterMs ?? 0).toBeLessThan(1_000)
    }
    const { retryAfterMs } = (await client.request<Failure>('t.limited')).data
    expect(retryAfterMs).toBeLessThan(60_000)
  } finally {
    clock.mockRestore()
  }
})

describe('reads without a user', () => {
  test('share a number of places, and are refused at once when all places are taken', async () => {
    await using rig = await startRig({ limits: { anonymousReads: 3 } })
    const strangers = await Promise.all(Array.from({ length: 4 }, () => connect(rig.url)))
    await using player = await connect(rig.url, { cookie: await rig.cookieOf('ada') })
    const [last, ...others] = strangers
    if (!last) throw new Error('no socket')
    const hanging = others.map((client) => client.request('t.hang'))
    await expect.poll(() => rig.world.hanging).toBe(3)
    for (const [type, data] of [['t.hang'], ['t.onLog', { key: 'a' }]] as const) {
      const shed = await last.request<Failure>(type, data)
      expect(shed.error).toBe('UNAVAILABLE')
      expect(shed.data.retryAfterMs).toBeGreaterThan(0)
    }
    expect(rig.world.hanging).toBe(3)
    // A handler that awaits nothing needs no place, nor does a signed-in user.
    await last.call('rpc.ping')
    await last.call('t.echo', { value: 1 })
    await last.call('t.countAnonymously')
    await last.call('t.countAnonymously')
    const played = player.request('t.hang')
    await expect.poll(() => rig.world.hanging).toBe(4)
    rig.world.letGo()
    for (const { error } of await Promise.all([...hanging, played])) expect(error).toBeUndefined()
    await last.subscribe('t.onLog', { key: 'a' })
    await Promise.all(strangers.map((client) => client.close()))
  })

  test('also hold a place while a stream opens', async () => {
    await using rig = await startRig({ limits: { anonymousReads: 1 } })
    await using client = await connect(rig.url)
    const opening = client.request('t.onHang')
    // The snapshot is read again once the hub listens to the stream.
    for (let read = 0; read < 2; read++) {
      await expect.poll(() => rig.world.hanging).toBe(1)
      expect(await client.request('t.onHang')).toMatchObject({ error: 'UNAVAILABLE' })
      rig.world.letGo()
    }
    expect((await opening).error).toBeUndefined()
  })

  test('hold their place until the handler is done, also after a TIMEOUT', async () => {
    await using rig = await startRig({ limits: { anonymousReads: 1, requestMs: 200 } })
    await using client = await connect(rig.url)
    expect(await client.request('t.hang')).toMatchObject({ error: 'TIMEOUT' })
    expect(await client.request('t.hang')).toMatchObject({ error: 'UNAVAILABLE' })
    rig.world.letGo()
    await client.subscribe('t.onLog', { key: 'a' })
  })
})

describe('the account of a user or an address', () => {
  const rate = { perSecond: 10, burst: 20 }
  const rates = { requests: rate, inputs: rate, bytes: rate, upgrades: rate, arrivals: rate }

  /** As often as it takes to check all of them. */
  const sweep = (accounts: Accounts, now: number) => {
    for (let i = 0; i < 250; i++) accounts.sweep(now)
  }

  test('is forgotten when its buckets are full again, and not before', () => {
    const accounts = new Accounts(rates)
    accounts.get('a', 0).requests.take(20, 0)
    accounts.get('b', 0).upgrades.take(1, 0)
    accounts.get('held', 0).connections++
    sweep(accounts, 99)
    expect(accounts.size).toBe(3)
    sweep(accounts, 101)
    expect(accounts.size).toBe(2)
    expect(accounts.get('a', 101).requests.take(2, 101)).toBeGreaterThan(0)
    sweep(accounts, 5_000)
    expect(accounts.size).toBe(1)
    accounts.get('held', 0).connections--
    sweep(accounts, 5_000)
    expect(accounts.size).toBe(0)
  })

  test('is one of a bounded number, but is never forgotten while it has a socket', () => {
    const accounts = new Accounts(rates)
    for (let i = 0; i < 50; i++) accounts.get(`held ${i}`, 0).sockets++
    const held = accounts.get('held 7', 0)
    for (let i = 0; i < 30_000; i++) accounts.get(`${i}`, 0)
    expect(accounts.size).toBeLessThanOrEqual(20_050)
    expect(accounts.get('held 7', 0)).toBe(held)
  })

  test('refills at its rate, up to its burst', () => {
    const account = new Account(rates, 0)
    expect(account.requests.take(20, 0)).toBe(0)
    expect(account.requests.take(1, 0)).toBe(100)
    expect(account.isUnused(1_999)).toBe(false)
    expect(account.isUnused(2_000)).toBe(true)
    expect(account.requests.take(20, 60_000)).toBe(0)
    expect(account.requests.take(1, 60_000)).toBe(100)
  })
})

test('a closed socket gives its place back', async () => {
  await using rig = await startRig({ limits: anyBytes })
  const release = vi.spyOn(rig.dispatcher.admission, 'release')
  const client = await connect(rig.url)
  await client.close()
  await expect.poll(() => rig.server.stats.open).toBe(0)
  expect(release).toHaveBeenCalledTimes(1)
})
