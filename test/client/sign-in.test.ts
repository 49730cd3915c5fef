import { describe, expect, test } from 'vitest'
import { browserLike } from './cookies.ts'
import type { FakeServer } from './fake-server.ts'
import { connect, once, startServer, until } from './support.ts'

const ANA = { id: 'u1', username: 'ana', displayName: 'Ana', createdAt: 1, role: 'player', authenticatorResetAt: null }

/** Accounts as far as a client sees them: `ana` exists, every other name is free, and the code is 123456. */
async function serveAccounts(): Promise<FakeServer> {
  const server = await startServer()
  const challenged = new WeakMap<object, string>()
  server.on('auth.begin', ({ data }, socket) => {
    const { username } = data as { username: string }
    challenged.set(socket, username)
    return username === 'ana'
      ? { data: { status: 'user' } }
      : {
          data: {
            status: 'candidate',
            qrCode: 'data:image/png;base64,AA==',
            otpauthUrl: 'otpauth://totp/x',
            secret: 'S',
          },
        }
  })
  server.on('auth.verify', ({ data }, socket) => {
    const username = challenged.get(socket)
    if (username === undefined) return { error: 'NO_CHALLENGE', data: { message: 'begin first' } }
    const { code } = data as { code: string }
    if (code !== '123456') return { error: 'INVALID_CODE', data: { message: 'wrong' } }
    const user = { ...ANA, username }
    return {
      data: { status: 'authorized', user, token: 'ticket', ...(username !== 'ana' && { recoveryCodes: ['r1', 'r2'] }) },
    }
  })
  server.session = (method, body) => {
    if (method === 'DELETE') {
      server.user = null
      return { status: 200, body: {}, cookie: 'rally=; Max-Age=0' }
    }
    if (JSON.parse(body).token !== 'ticket') return { status: 401, body: { error: 'UNAUTHENTICATED', data: {} } }
    server.user = { id: 'u1', username: 'ana' }
    return { status: 200, body: {}, cookie: 'rally=s3ss10n; Path=/; HttpOnly' }
  }
  return server
}

describe('signing in', () => {
  test('answers the challenge, fetches the cookie and comes back as the user', async () => {
    const server = await serveAccounts()
    const browser = browserLike()
    const rally = connect(server, browser)
    const signIn = await rally.signIn('ana')
    expect(signIn.status).toBe('user')
    const user = once(rally, 'user')
    expect(await signIn.verify('123456')).toEqual({ user: ANA })
    expect(await user).toEqual({ id: 'u1', username: 'ana' })
    expect(rally.user?.username).toBe('ana')
    expect(rally.status).toBe('open')
    expect(server.sockets.at(-1)?.request.headers.cookie).toBe('rally=s3ss10n')
    expect(await server.sockets[0]?.closed).toBe(1000)
  })

  test('registers a free name with a secret for the app and recovery codes', async () => {
    const server = await serveAccounts()
    const rally = connect(server, browserLike())
    const signIn = await rally.signIn('ben')
    expect(signIn).toMatchObject({ status: 'candidate', qrCode: 'data:image/png;base64,AA==', secret: 'S' })
    expect(await signIn.verify('123456')).toMatchObject({ user: { username: 'ben' }, recoveryCodes: ['r1', 'r2'] })
  })

  test('tells recovery codes at once, even if no session can be made', async () => {
    const server = await serveAccounts()
    server.session = () => ({ status: 503, body: {}, cookie: 'rally=' })
    const rally = connect(server, browserLike())
    const signIn = await rally.signIn('ben')
    const told: unknown[] = []
    const verified = signIn.verify('123456', { onRecoveryCodes: (...args) => told.push(args) })
    await expect(verified).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(told).toEqual([[['r1', 'r2'], { ...ANA, username: 'ben' }]])
  })

  test('takes another code after a wrong one', async () => {
    const server = await serveAccounts()
    const rally = connect(server, browserLike())
    const signIn = await rally.signIn('ana')
    await expect(signIn.verify('000000')).rejects.toMatchObject({ code: 'INVALID_CODE' })
    expect(rally.user).toBeNull()
    expect(await signIn.verify('123456')).toEqual({ user: ANA })
  })

  test('of a user survives a lost connection', async () => {
    const server = await serveAccounts()
    const rally = connect(server, browserLike())
    const signIn = await rally.signIn('ana')
    server.sockets[0]?.ws.terminate()
    await until(rally, 'reconnecting')
    expect(await signIn.verify('123456')).toEqual({ user: ANA })
    expect(server.received('auth.begin')).toHaveLength(2)
  })

  test('of a user survives a challenge that is too old', async () => {
    const server = await serveAccounts()
    const rally = connect(server, browserLike())
    const signIn = await rally.signIn('ana')
    let isOld = true
    server.on('auth.verify', () => {
      const reply = isOld
        ? { error: 'NO_CHALLENGE', data: { message: 'begin first' } }
        : { data: { status: 'authorized', user: ANA, token: 'ticket' } }
      isOld = false
      return reply
    })
    expect(await signIn.verify('123456')).toEqual({ user: ANA })
    expect(server.received('auth.begin')).toHaveLength(2)
  })

  test('of a new name says that its secret is void when the connection was lost', async () => {
    const server = await serveAccounts()
    const rally = connect(server, browserLike())
    const signIn = await rally.signIn('ben')
    server.sockets[0]?.ws.terminate()
    await until(rally, 'reconnecting')
    await until(rally, 'open')
    await expect(signIn.verify('123456')).rejects.toMatchObject({ code: 'NO_CHALLENGE' })
    expect(server.received('auth.begin')).toHaveLength(1)
  })

  test('says so when the cookie was not kept', async () => {
    const server = await serveAccounts()
    const rally = connect(server, browserLike())
    const signIn = await rally.signIn('ana')
    server.session = () => ({ status: 200, body: {} })
    await expect(signIn.verify('123456')).rejects.toMatchObject({ code: 'SESSION_NOT_KEPT' })
  })

  test('says what the session endpoint said, or that it could not be reached', async () => {
    const server = await serveAccounts()
    const rally = connect(server, browserLike())
    const signIn = await rally.signIn('ana')
    server.session = () => ({
      status: 429,
      body: { error: 'RATE_LIMITED', data: { message: 'slow', retryAfterMs: 9 } },
    })
    await expect(signIn.verify('123456')).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 9 })
    server.session = () => ({ status: 503 })
    await expect(signIn.verify('123456')).rejects.toMatchObject({ code: 'UNAVAILABLE', temporary: true })
    const cut = connect(server, { ...browserLike(), fetch: () => Promise.reject(new TypeError('fetch failed')) })
    const again = await cut.signIn('ana')
    await expect(again.verify('123456')).rejects.toMatchObject({ code: 'OFFLINE', temporary: true })
  })

  test('is abandoned when the client closes', async () => {
    const server = await serveAccounts()
    const rally = connect(server, {
      ...browserLike(),
      fetch: (_input, init) =>
        new Promise((_, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
          rally.close()
        }),
    })
    const signIn = await rally.signIn('ana')
    await expect(signIn.verify('123456')).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('with a recovery code needs no app', async () => {
    const server = await serveAccounts()
    server.on('auth.recover', ({ data }) => ({
      data: { status: 'authorized', user: ANA, token: (data as { recoveryCode: string }).recoveryCode },
    }))
    const rally = connect(server, browserLike())
    expect(await rally.recover('ana', 'ticket')).toEqual({ user: ANA })
    await expect(rally.recover('ana', 'forged')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  test('out ends the session, clears the cookie and comes back as nobody', async () => {
    const server = await serveAccounts()
    const browser = browserLike()
    const rally = connect(server, browser)
    await (await rally.signIn('ana')).verify('123456')
    expect(browser.cookies.size).toBe(1)
    await rally.signOut()
    expect(rally.user).toBeNull()
    expect(browser.cookies.size).toBe(0)
  })
})
