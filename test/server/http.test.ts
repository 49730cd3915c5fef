import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, within } from '../support/client.ts'
import { type Rig, startRig } from '../support/rig.ts'

/** A request whose path is sent as it is, and whose answer is not decoded. */
function raw(rig: Rig, path: string, headers: Record<string, string> = {}, method = 'GET') {
  return within(
    new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port: rig.port, path, headers, method }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
        )
      })
      outgoing.on('error', reject)
      outgoing.end()
    }),
    path,
  )
}

const postSession = (rig: Rig, body: string, headers: Record<string, string> = {}) =>
  fetch(`${rig.url}/session`, { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...headers } })

/** A ticket for `username` that the gate takes once. */
function ticketFor(rig: Rig, username: string): string {
  const user = { id: `id-of-${username}`, username }
  const expiresAt = Date.now() + 30 * 86_400_000
  rig.gate.tickets.set(`ticket-of-${username}`, { user, sessionId: `session-of-${username}`, expiresAt })
  return `ticket-of-${username}`
}

const cookiesOf = (answer: Response) => answer.headers.getSetCookie().map((each) => each.slice(0, each.indexOf(';')))

describe('POST /session', () => {
  test('exchanges a ticket for a cookie that signs the next socket in, and knows the device again', async () => {
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

  test('refuses a foreign page, and what a form could send', async () => {
    await using rig = await startRig()
    const body = JSON.stringify({ token: ticketFor(rig, 'ada') })
    expect((await postSession(rig, body, { Origin: 'https://evil.example' })).status).toBe(403)
    expect((await postSession(rig, body, { 'Content-Type': 'text/plain' })).status).toBe(415)
    expect(rig.gate.calls).toEqual([])
  })

  test('lets a listed page of another origin in, with what its browser asks for', async () => {
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

  test('a client that leaves in the middle of its body does no harm', async () => {
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

  test('of nobody is no error', async () => {
    await using rig = await startRig()
    expect((await fetch(`${rig.url}/session`, { method: 'DELETE' })).status).toBe(200)
    expect(rig.gate.calls).toEqual([])
  })

  test('keeps the cookie when the database fails', async () => {
    await using rig = await startRig()
    const cookie = await rig.cookieOf('ada')
    rig.gate.fails = true
    const answer = await fetch(`${rig.url}/session`, { method: 'DELETE', headers: { Cookie: cookie } })
    expect(answer.status).toBe(500)
    expect(answer.headers.getSetCookie()).toEqual([])
  })
})

describe('health', () => {
  test('/healthz says that the process lives, whatever else', async () => {
    await using rig = await startRig({ server: { isReady: () => Promise.reject(new Error('no database')) } })
    expect((await fetch(`${rig.url}/healthz`)).status).toBe(200)
    const ready = await fetch(`${rig.url}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'unavailable' }])
  })

  test('/readyz gives up on a database that hangs', async () => {
    await using rig = await startRig({ server: { isReady: () => new Promise(() => {}) } })
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

  test('/metrics gives what it is given, or is not there', async () => {
    await using rig = await startRig({ server: { metrics: async () => 'rally_sockets 0\n' } })
    const answer = await fetch(`${rig.url}/metrics`)
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(await answer.text()).toBe('rally_sockets 0\n')
    await using none = await startRig()
    expect((await fetch(`${none.url}/metrics`)).status).toBe(404)
  })

  test('routes say which methods they take', async () => {
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

describe('the page', () => {
  const script = `console.log(${JSON.stringify('rally '.repeat(2000))})`
  const image = Buffer.alloc(12 * 1024 * 1024, 1)
  let webDir: string
  let rig: Rig

  beforeAll(async () => {
    webDir = await mkdtemp(join(tmpdir(), 'rally-page-'))
    await mkdir(join(webDir, 'assets'))
    await writeFile(join(webDir, 'index.html'), '<!doctype html><title>the page</title>')
    await writeFile(join(webDir, 'assets/main-abc123.js'), script)
    await writeFile(join(webDir, 'big.png'), image)
    rig = await startRig({ server: { webDir } })
  })
  afterAll(async () => {
    await rig.stop()
    await rm(webDir, { recursive: true, force: true })
  })

  test('is at /, and at every place inside it', async () => {
    for (const path of ['/', '/match/7', '/a%20b', '/index.html', '/match?x=1']) {
      const answer = await fetch(rig.url + path)
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
      expect(answer.headers.get('cache-control')).toBe('no-cache')
      expect(await answer.text()).toContain('the page')
    }
    expect((await fetch(`${rig.url}/assets/gone.js`)).status).toBe(404)
  })

  test('takes nothing from elsewhere and may not be framed', async () => {
    const { headers } = await fetch(rig.url)
    const policy = headers.get('content-security-policy') ?? ''
    for (const rule of ["default-src 'self'", "frame-ancestors 'none'", "img-src 'self' data:", "object-src 'none'"]) {
      expect(policy).toContain(rule)
    }
    expect(policy).not.toContain('unsafe-eval')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('same-origin')
  })

  test('hashed assets are cached for ever, compressed as the browser likes', async () => {
    const plain = await raw(rig, '/assets/main-abc123.js')
    expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(plain.body.toString()).toBe(script)
    const br = await raw(rig, '/assets/main-abc123.js', { 'Accept-Encoding': 'gzip, deflate, br' })
    expect([br.headers['content-encoding'], brotliDecompressSync(br.body).toString()]).toEqual(['br', script])
    const gz = await raw(rig, '/assets/main-abc123.js', { 'Accept-Encoding': 'gzip, br;q=0' })
    expect([gz.headers['content-encoding'], gunzipSync(gz.body).toString()]).toEqual(['gzip', script])
    expect(new Set([plain, br, gz].map(({ headers }) => headers.etag)).size).toBe(3)
    expect(br.headers.vary).toBe('Accept-Encoding')
  })

  test('what the browser has already is not sent again', async () => {
    const { headers } = await raw(rig, '/')
    const again = await raw(rig, '/', { 'If-None-Match': String(headers.etag) })
    expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, headers.etag])
    expect((await raw(rig, '/', { 'If-None-Match': '"other"' })).status).toBe(200)
  })

  test('HEAD has the headers of GET and no body', async () => {
    const get = await raw(rig, '/')
    const head = await raw(rig, '/', {}, 'HEAD')
    expect([head.status, head.body.length]).toEqual([200, 0])
    expect(head.headers['content-length']).toBe(get.headers['content-length'])
  })

  test('a connection is good for more after HEAD and 304', async () => {
    const tcp = connectTcp(rig.port, '127.0.0.1')
    const ask = (head: string) => {
      tcp.write(`${head} HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n`)
      const answer = new Promise<string>((resolve, reject) => {
        tcp.once('data', (bytes) => resolve(bytes.toString()))
        tcp.once('close', () => reject(new Error('the connection was cut')))
      })
      return within(answer, head)
    }
    expect(await ask('HEAD /healthz')).toMatch(/^HTTP\/1\.1 200 .*Content-Length: 15\r\n[^{]*\r\n\r\n$/s)
    expect(await ask('GET /')).toMatch(/^HTTP\/1\.1 304 .*\r\n\r\n$/s)
    expect(await ask('GET /healthz')).toContain('{"status":"ok"}')
    tcp.destroy()
  })

  test('a slow reader gets a big file whole', async () => {
    const tcp = connectTcp(rig.port, '127.0.0.1')
    tcp.write('GET /big.png HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await within(new Promise((resolve) => tcp.once('data', resolve)), 'the first bytes')
    tcp.pause()
    // The server goes on with others meanwhile.
    expect((await fetch(`${rig.url}/healthz`)).status).toBe(200)
    const { body } = await raw(rig, '/big.png')
    expect(body.equals(image)).toBe(true)
    let rest = 0
    const all = new Promise<void>((resolve) => {
      tcp.on('data', (chunk) => {
        rest += chunk.length
        if (rest > image.length - 128 * 1024) resolve()
      })
    })
    tcp.resume()
    await within(all, 'the rest')
    tcp.destroy()
  })

  test.for(['/../package.json', '/..%2f..%2fetc/passwd', '/%2e%2e/x', '/a/..%5c..%5cx', '/%00', '/%ff'])(
    'nobody climbs out with %s',
    async (path) => {
      const answer = await raw(rig, path)
      expect(answer.status).toBe(400)
      expect(answer.body.toString()).not.toContain('the page')
    },
  )

  test('that was never built says what to do', async () => {
    await using unbuilt = await startRig()
    const answer = await fetch(unbuilt.url)
    expect(answer.status).toBe(404)
    expect(await answer.text()).toContain('npm run build')
  })
})
