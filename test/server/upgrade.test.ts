import { connect as connectTcp } from 'node:net'
import { SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { connect, connectToBeClosed, refusal, within } from '../support/client.ts'
import { startRig } from '../support/rig.ts'

const MONTH_MS = 30 * 86_400_000

interface Forgery {
  readonly alg?: string
  readonly key?: Uint8Array
  readonly issuer?: string
  readonly audience?: string
  readonly issued?: number
  readonly expires?: number | null
}

/** A genuine token for Ada's session, except for `forgery`. */
function forge(key: Uint8Array, forgery: Forgery): Promise<string> | string {
  const claims = { sub: 'id-of-ada', sid: 'session-of-ada' }
  const { alg = 'HS256', issuer = 'rally', audience = 'session', issued, expires = '1h' } = forgery
  const token = alg === 'none' ? new UnsecuredJWT(claims) : new SignJWT(claims).setProtectedHeader({ alg })
  token.setIssuer(issuer).setAudience(audience).setIssuedAt(issued)
  if (expires !== null) token.setExpirationTime(expires)
  return token instanceof UnsecuredJWT ? token.encode() : token.sign(forgery.key ?? key)
}

describe('origin', () => {
  test('a foreign page gets 403 before any lookup', async () => {
    await using rig = await startRig()
    const cookie = await rig.cookieOf('ada')
    for (const origin of ['https://evil.example', 'null', `http://localhost:${rig.port + 1}`]) {
      expect(await refusal(rig.url, { origin, cookie })).toMatchObject({ status: 403 })
    }
    expect(rig.gate.calls).toEqual([])
  })

  test('the own page, listed pages and clients that are no browser may connect', async () => {
    await using rig = await startRig({ config: { allowedOrigins: new Set(['https://play.example']) } })
    const origins = ['https://play.example', `http://localhost:${rig.port}`, `http://127.0.0.1:${rig.port}`, undefined]
    for (const origin of origins) {
      await using client = await connect(rig.url, origin === undefined ? {} : { origin })
      expect(client.welcome.node).toBe('node-under-test')
    }
  })

  test('in production only listed origins may connect', async () => {
    await using rig = await startRig({
      config: { production: true, allowedOrigins: new Set(['https://play.example']) },
    })
    expect(await refusal(rig.url, { origin: `http://localhost:${rig.port}` })).toMatchObject({ status: 403 })
    await using client = await connect(rig.url, { origin: 'https://play.example' })
    expect(client.welcome.user).toBeNull()
  })
})

describe('sub-protocol', () => {
  test('ours is accepted, also among others', async () => {
    await using rig = await startRig()
    await using client = await connect(rig.url, { protocols: ['chat', 'rally.v1'] })
    expect(client.socket.protocol).toBe('rally.v1')
  })

  test('none offered is fine', async () => {
    await using rig = await startRig()
    await using client = await connect(rig.url, { protocols: [] })
    expect(client.socket.protocol).toBe('')
  })

  test('only others offered: the socket is closed with 4500', async () => {
    await using rig = await startRig()
    expect(await connectToBeClosed(rig.url, { protocols: ['rally.v9', 'chat'] })).toMatchObject({ code: 4500 })
    expect(rig.dispatcher.connections.size).toBe(0)
  })
})

describe('session cookie', () => {
  test('a good one signs the socket in', async () => {
    await using rig = await startRig()
    await using client = await connect(rig.url, { cookie: await rig.cookieOf('ada') })
    expect(client.welcome.user).toEqual({ id: 'id-of-ada', username: 'ada' })
    expect(client.headers['set-cookie']).toBeUndefined()
    expect(await client.call('t.secret')).toEqual({})
  })

  test.for<[string, Forgery]>([
    ['alg none', { alg: 'none' }],
    ['HS512', { alg: 'HS512' }],
    ['another key', { key: new Uint8Array(48).fill(7) }],
    ['another issuer', { issuer: 'x' }],
    ['another audience', { audience: 'device' }],
    ['a time that is over', { expires: 1 }],
    ['no end', { expires: null }],
  ])('with %s it is nobody: the socket opens signed out and the cookie is cleared', async ([, forgery]) => {
    await using rig = await startRig()
    await rig.cookieOf('ada')
    const token = await forge(rig.config.secrets.cookie, forgery)
    await using client = await connect(rig.url, { cookie: `rally=${token}` })
    expect(client.welcome.user).toBeNull()
    expect(client.headers['set-cookie']?.[0]).toMatch(/^rally=; Max-Age=0/)
    expect(rig.gate.calls).toEqual([])
    expect(await client.request('t.secret')).toMatchObject({ error: 'UNAUTHENTICATED' })
  })

  test('of an ended session it is cleared', async () => {
    await using rig = await startRig()
    const cookie = await rig.cookieOf('ada')
    rig.gate.sessions.clear()
    await using client = await connect(rig.url, { cookie })
    expect(client.welcome.user).toBeNull()
    expect(client.headers['set-cookie']?.[0]).toMatch(/^rally=; Max-Age=0/)
  })

  test('past half its life it is renewed on the answer to the upgrade', async () => {
    await using rig = await startRig()
    await rig.cookieOf('ada')
    const now = Math.floor(Date.now() / 1000)
    const token = await forge(rig.config.secrets.cookie, { issued: now - 1000, expires: now + 900 })
    await using client = await connect(rig.url, { cookie: `rally=${token}` })
    expect(client.welcome.user).toMatchObject({ username: 'ada' })
    expect(rig.gate.calls).toEqual(['extend'])
    const [renewed = ''] = client.headers['set-cookie'] ?? []
    expect(renewed).toMatch(/^rally=[^;]+; Max-Age=25\d{5}; Path=\/; HttpOnly; SameSite=Strict$/)
    const { session } = rig.cookies.read(renewed.slice(0, renewed.indexOf(';')))
    expect(session).toMatchObject({ userId: 'id-of-ada', isAging: false })
  })

  test('in production it has the __Host- prefix and is Secure, and the plain one is ignored', async () => {
    await using rig = await startRig({ config: { production: true } })
    const header = await rig.cookies.session('id', 'sid', Date.now() + MONTH_MS)
    expect(header).toMatch(/^__Host-rally=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
    const cookie = await rig.cookieOf('ada')
    await using signedIn = await connect(rig.url, { cookie })
    expect(signedIn.welcome.user).toMatchObject({ username: 'ada' })
    await using plain = await connect(rig.url, { cookie: cookie.replace('__Host-', '') })
    expect(plain.welcome.user).toBeNull()
  })
})

describe('a database in trouble', () => {
  test('503 when it does not answer in two seconds', async () => {
    await using rig = await startRig()
    const cookie = await rig.cookieOf('ada')
    rig.gate.hold = new Promise(() => {})
    const began = Date.now()
    expect(await refusal(rig.url, { cookie })).toMatchObject({ status: 503 })
    expect(Date.now() - began).toBeGreaterThan(1900)
    expect(Date.now() - began).toBeLessThan(3000)
    await using stranger = await connect(rig.url)
    expect(stranger.welcome.user).toBeNull()
  })

  test('503 when it fails, and the cookie is kept', async () => {
    await using rig = await startRig()
    const cookie = await rig.cookieOf('ada')
    rig.gate.fails = true
    const refused = await refusal(rig.url, { cookie })
    expect(refused).toMatchObject({ status: 503 })
    expect(refused.headers['set-cookie']).toBeUndefined()
  })

  test('a client that leaves during the lookup does no harm', async () => {
    await using rig = await startRig({ limits: { socketsPerIp: 1 } })
    const cookie = await rig.cookieOf('ada')
    let release = () => {}
    rig.gate.hold = new Promise((resolve) => {
      release = resolve
    })
    const tcp = connectTcp(rig.port, '127.0.0.1')
    tcp.write(
      `GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nCookie: ${cookie}\r\n` +
        'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    )
    await expect.poll(() => rig.gate.calls.length).toBe(1)
    tcp.resetAndDestroy()
    // The server has seen the reset before it sees the next connection.
    expect(await (await fetch(`${rig.url}/healthz`)).json()).toEqual({ status: 'ok' })
    release()
    await expect
      .poll(() => connect(rig.url, { cookie }).then(async (client) => client.close().then(() => 'open'), String))
      .toBe('open')
    expect(rig.errors).toEqual([])
  })
})

describe('bounds', () => {
  test('the sockets of one address are bounded; a closed one makes room', async () => {
    await using rig = await startRig({ limits: { socketsPerIp: 2 } })
    const first = await connect(rig.url)
    await using _second = await connect(rig.url)
    expect(await refusal(rig.url)).toMatchObject({ status: 429 })
    await first.close()
    await using third = await connect(rig.url)
    expect(third.welcome.limits.socketsPerIp).toBe(2)
  })

  test('the address is the one that the trusted proxy saw', async () => {
    await using rig = await startRig({ config: { trustedProxyHops: 1 } })
    await using client = await connect(rig.url, { headers: { 'X-Forwarded-For': '6.6.6.6, ::FFFF:1.2.3.4' } })
    expect(await client.call('t.whoAmI')).toMatchObject({ ip: '1.2.3.4' })
  })

  test('who connects from elsewhere than the proxies cannot choose an address', async () => {
    await using rig = await startRig({ config: { trustedProxyHops: 1, trustedProxies: ['127.0.0.2', '10.0.0.0/8'] } })
    const headers = { 'X-Forwarded-For': '1.2.3.4' }
    await using direct = await connect(rig.url, { headers })
    expect(await direct.call('t.whoAmI')).toMatchObject({ ip: '127.0.0.1' })
    await using proxied = await connect(rig.url, { headers, localAddress: '127.0.0.2' })
    expect(await proxied.call('t.whoAmI')).toMatchObject({ ip: '1.2.3.4' })
  })

  test('without a trusted proxy clients cannot choose an address', async () => {
    await using rig = await startRig()
    await using client = await connect(rig.url, { headers: { 'X-Forwarded-For': '1.2.3.4' } })
    expect(await client.call('t.whoAmI')).toMatchObject({ ip: '127.0.0.1' })
  })

  test('a leaving node accepts no more sockets', async () => {
    await using rig = await startRig()
    await using _open = await connect(rig.url)
    // A connection that was open before, as a proxy keeps them.
    const tcp = connectTcp(rig.port, '127.0.0.1')
    await new Promise((resolve) => tcp.once('connect', resolve))
    tcp.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise((resolve) => tcp.once('data', resolve))
    rig.server.stopAccepting()
    tcp.write(
      'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    )
    const answer = await within(new Promise<string>((resolve) => tcp.once('data', (d) => resolve(d.toString()))), '503')
    expect(answer).toMatch(/^HTTP\/1\.1 503 /)
    tcp.destroy()
    await expect(connect(rig.url)).rejects.toThrow(/ECONNREFUSED/)
  })
})

test('a session that ended while its socket was being opened closes it at once', async () => {
  await using rig = await startRig()
  const cookie = await rig.cookieOf('ada')
  let release = () => {}
  rig.gate.hold = new Promise((resolve) => {
    release = resolve
  })
  const closed = connectToBeClosed(rig.url, { cookie })
  await expect.poll(() => rig.gate.calls.length).toBe(1)
  rig.dispatcher.connections.closeCredential('id-of-ada', 'session-of-ada', 4501, 'revoked')
  release()
  expect(await closed).toMatchObject({ code: 4501 })
})

test('the port of a running server is not shared', async () => {
  await using rig = await startRig()
  await expect(startRig({ config: { port: rig.port } })).rejects.toThrow(/is taken/)
})
