import { connect as connectTcp } from 'node:net'
import { describe, expect, test } from 'vitest'
import { callerUser } from '../support/caller-user.ts'
import { connect, within } from '../support/client.ts'
import { type Rig, startRig } from '../support/rig.ts'

const postSession = (rig: Rig, body: string, headers: Record<string, string> = {}) =>
  fetch(`${rig.url}/session`, { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...headers } })

/** A ticket for `username` that the gate takes once. */
function ticketFor(rig: Rig, username: string): string {
  const user = callerUser(username)
  const expiresAt = Date.now() + 30 * 86_400_000
  rig.gate.tickets.set(`ticket-of-${username}`, { user, sessionId: `session-of-${username}`, expiresAt })
  return `ticket-of-${username}`
}

const cookiesOf = (answer: Response) => answer.headers.getSetCookie().map((each) => each.slice(0, each.indexOf(';')))

describe('POST /session', () => {
  test('exchanges a ticket for a cookie that signs in the next socket, recognises the device, and ends its former session', async () => {
    await using rig = await startRig()
    const answer = await postSession(rig, JSON.stringify({ token: ticketFor(rig, 'ada') }))
    expect([answer.status, await answer.json()]).toEqual([200, {}])
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^rally=[\w.-]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict$/),
      expect.stringMatching(/^rally-device=[\w.-]+; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Strict$/),
    ])
    await using client = await connect(rig.url, { cookie: cookiesOf(answer).join('; ') })
    expect(client.welcome.user).toEqual({ id: 'id-of-ada', username: 'ada' })
    expect(await client.call('t.whoAmI')).toMatchObject({ device: ['id-of-ada'] })

    const next = await postSession(rig, JSON.stringify({ token: ticketFor(rig, 'bob') }), {
      Cookie: cookiesOf(answer).join('; '),
    })
    expect([...rig.gate.sessions.keys()]).toEqual(['session-of-bob'])
    await using bob = await connect(rig.url, { cookie: cookiesOf(next).join('; ') })
    expect(await bob.call('t.whoAmI')).toMatchObject({ username: 'bob', device: ['id-of-bob', 'id-of-ada'] })
  })

  test('a ticket counts once', async () => {
    await using rig = await startRig()
    const body = JSON.stringify({ token: ticketFor(rig, 'ada') })
    expect((await postSession(rig, body)).status).toBe(200)
    const again = await postSession(rig, body)
    expect(again.status).toBe(401)
    expect(await again.json()).toEqual({ error: 'UNAUTHENTICATED', data: { message: 'Not a ticket' } })
    expect(again.headers.getSetCookie()).toEqual([])
  })

  test.for([
    ['no JSON', '{', 400],
    ['no token', '{}', 400],
    ['a token that is no string', '{"token":1}', 400],
    ['an array', '[]', 400],
    ['too much', JSON.stringify({ token: 'x'.repeat(5000) }), 413],
  ] as const)('refuses %s', async ([, body, status]) => {
    await using rig = await startRig()
    expect((await postSession(rig, body)).status).toBe(status)
    expect(rig.gate.calls).toEqual([])
  })

  test('refuses a foreign page, and requests that a form could send', async () => {
    await using rig = await startRig()
    const body = JSON.stringify({ token: ticketFor(rig, 'ada') })
    expect((await postSession(rig, body, { Origin: 'https://evil.example' })).status).toBe(403)
    expect((await postSession(rig, body, { 'Content-Type': 'text/plain' })).status).toBe(415)
    expect(rig.gate.calls).toEqual([])
  })

  test('accepts a listed page of another origin, with CORS headers', async () => {
    await using rig = await startRig({ config: { allowedOrigins: new Set(['https://play.example']) } })
    const headers = { Origin: 'https://play.example' }
    const asked = await fetch(`${rig.url}/session`, { method: 'OPTIONS', headers })
    expect(asked.status).toBe(204)
    expect(asked.headers.get('access-control-allow-headers')).toBe('Content-Type')
    const answer = await postSession(rig, JSON.stringify({ token: ticketFor(rig, 'ada') }), headers)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://play.example')
    expect(answer.headers.get('access-control-allow-credentials')).toBe('true')
  })

  test('503 when the database does not answer', async () => {
    await using rig = await startRig()
    rig.gate.hold = new Promise(() => {})
    expect((await postSession(rig, JSON.stringify({ token: 'x' }))).status).toBe(503)
  })

  test('a client that disconnects in the middle of its body does no harm', async () => {
    await using rig = await startRig()
    const tcp = connectTcp(rig.port, '127.0.0.1')
    tcp.write('POST /session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"to')
    await new Promise((resolve) => tcp.once('connect', resolve))
    expect((await fetch(`${rig.url}/healthz`)).status).toBe(200)
    tcp.resetAndDestroy()
    expect((await postSession(rig, JSON.stringify({ token: ticketFor(rig, 'ada') }))).status).toBe(200)
    expect(rig.errors).toEqual([])
  })
})

describe('DELETE /session', () => {
  test('ends the session and clears the cookie', async () => {
    await using rig = await startRig()
    const cookie = await rig.cookieOf('ada')
    const answer = await fetch(`${rig.url}/session`, { method: 'DELETE', headers: { Cookie: cookie } })
    expect(answer.status).toBe(200)
    expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(/^rally=; Max-Age=0; Path=\/; HttpOnly/)])
    expect(rig.gate.sessions.size).toBe(0)
  })

  test('without a session is no error', async () => {
    await using rig = await startRig()
    expect((await fetch(`${rig.url}/session`, { method: 'DELETE' })).status).toBe(200)
    expect(rig.gate.calls).toEqual([])
  })

  test('of a session that has ended changes nothing', async () => {
    await using rig = await startRig()
    const cookie = await rig.cookieOf('ada')
    rig.gate.sessions.clear()
    const answer = await fetch(`${rig.url}/session`, { method: 'DELETE', headers: { Cookie: cookie } })
    expect([answer.status, rig.gate.calls]).toEqual([200, ['resume']])
  })

  test('keeps the cookie when the database fails', async () => {
    await using rig = await startRig()
    const cookie = await rig.cookieOf('ada')
    rig.gate.fails = true
    const answer = await fetch(`${rig.url}/session`, { method: 'DELETE', headers: { Cookie: cookie } })
    expect(answer.status).toBe(503)
    expect(answer.headers.getSetCookie()).toEqual([])
  })
})

describe('health', () => {
  test('/healthz answers while the process lives, whatever else fails', async () => {
    await using rig = await startRig({ server: { database: { ping: () => Promise.reject(new Error('no database')) } } })
    expect((await fetch(`${rig.url}/healthz`)).status).toBe(200)
    const ready = await fetch(`${rig.url}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'unavailable' }])
  })

  test('/readyz gives up on a database that hangs', async () => {
    await using rig = await startRig({ server: { database: { ping: () => new Promise(() => {}) } } })
    const began = Date.now()
    expect((await fetch(`${rig.url}/readyz`)).status).toBe(503)
    expect(Date.now() - began).toBeLessThan(3000)
  })

  test('/readyz says 503 from the moment the node leaves', async () => {
    await using rig = await startRig()
    expect((await fetch(`${rig.url}/readyz`)).status).toBe(200)
    const tcp = connectTcp(rig.port, '127.0.0.1')
    tcp.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise((resolve) => tcp.once('data', resolve))
    rig.server.stopAccepting()
    tcp.write('GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n')
    const answer = await within(new Promise<string>((resolve) => tcp.once('data', (d) => resolve(d.toString()))), '503')
    expect(answer).toMatch(/^HTTP\/1\.1 503 .*"draining"/s)
    tcp.destroy()
  })

  test('routes name the methods that they allow', async () => {
    await using rig = await startRig()
    const answer = await fetch(`${rig.url}/session`)
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, DELETE, OPTIONS'])
    const page = await fetch(rig.url, { method: 'POST', body: 'x'.repeat(100_000) })
    expect([page.status, page.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect((await fetch(`${rig.url}/ws`)).status).toBe(426)
    const head = await fetch(`${rig.url}/healthz`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })
})
