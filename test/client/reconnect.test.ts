import { describe, expect, onTestFinished, vi } from 'vitest'
import { RallyError } from '../../src/client/index.ts'
import { connect, once, startServer, test, until } from './support.ts'

/** Waits that no test would outlive: what reconnects all the same did not wait for them. */
const NEVER = { minMs: 10 ** 9, maxMs: 10 ** 9 }

describe('the connection', () => {
  test('offers the sub-protocol, and tells its status and user', async ({ server }) => {
    server.user = { id: 'u1', username: 'ana' }
    const rally = connect(server)
    expect([rally.status, rally.user, rally.welcome]).toEqual(['connecting', null, null])
    const statuses: string[] = []
    rally.on('status', (status) => statuses.push(status))
    const user = once(rally, 'user')
    await until(rally, 'open')
    expect(await user).toEqual({ id: 'u1', username: 'ana' })
    expect(rally.user).toEqual({ id: 'u1', username: 'ana' })
    expect(rally.welcome?.node).toBe('n1')
    const socket = await server.nextSocket()
    expect(socket.request.headers['sec-websocket-protocol']).toBe('rally.v1')
    socket.ws.terminate()
    await until(rally, 'reconnecting')
    await until(rally, 'open')
    rally.close()
    expect(rally.status).toBe('closed')
    expect(statuses).toEqual(['open', 'reconnecting', 'open', 'closed'])
  })

  test('tries until there is a server', async ({ server }) => {
    server.refusing = true
    const rally = connect(server)
    await vi.waitFor(() => expect(server.attempts.length).toBeGreaterThan(4))
    expect(rally.status).toBe('connecting')
    server.refusing = false
    await until(rally, 'open')
  })

  test.for([1006, 4008, 4009, 1001])('comes back after a close with %i', async (code, { server, rally }) => {
    const socket = await server.nextSocket()
    await until(rally, 'open')
    if (code === 1006) socket.ws.terminate()
    else socket.ws.close(code)
    await server.nextSocket()
    await until(rally, 'open')
  })

  test('reconnects at once when the node leaves, whatever the backoff', async ({ server }) => {
    const rally = connect(server, { backoff: NEVER })
    const socket = await server.nextSocket()
    await until(rally, 'open')
    server.node = 'n2'
    socket.ws.close(4000)
    expect((await once(rally, 'welcome')).node).toBe('n2')
  })

  test('comes back signed out when the session ended', async ({ server }) => {
    server.user = { id: 'u1', username: 'ana' }
    const rally = connect(server, { backoff: NEVER })
    const socket = await server.nextSocket()
    await until(rally, 'open')
    server.user = null
    const user = once(rally, 'user')
    socket.ws.close(4501)
    expect(await user).toBeNull()
    await until(rally, 'open')
  })

  test('waits after it was too fast, also when the network is back', async ({ server }) => {
    const page = stubPage()
    const rally = connect(server)
    const socket = await server.nextSocket()
    await until(rally, 'open')
    socket.ws.close(4029)
    await until(rally, 'reconnecting')
    page.dispatchEvent(new Event('online'))
    await expect(rally.things.list({}, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'OFFLINE' })
    expect(server.attempts).toHaveLength(1)
  })

  test.for([4500, 4503])('stays away after %i, until it is told to come back', async (code, { server, rally }) => {
    const socket = await server.nextSocket()
    await until(rally, 'open')
    const waiting = rally.things.get({ id: 'a' })
    await socket.next('things.get')
    socket.ws.close(code)
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' })
    expect(rally.status).toBe('closed')
    await expect(rally.things.get({ id: 'a' })).rejects.toBeInstanceOf(RallyError)
    expect(server.attempts).toHaveLength(1)
    server.on('things.get', () => ({ data: { name: 'A' } }))
    rally.reconnect()
    expect(await rally.things.get({ id: 'a' })).toEqual({ name: 'A' })
  })

  test('tells a banned user why, and comes back as nobody after signing out', async ({ server, rally }) => {
    const socket = await server.nextSocket()
    await until(rally, 'open')
    const refused = once(rally, 'refused')
    socket.ws.close(4503, 'You are banned: cheated')
    expect(await refused).toMatchObject({ code: 'BANNED', message: 'You are banned: cheated' })
    await until(rally, 'closed')
    expect(rally.refusal).toMatchObject({ code: 'BANNED' })
    server.user = null
    await rally.signOut()
    expect([rally.user, rally.refusal]).toEqual([null, null])
  })

  test('is idle after 4504, until something is asked', async ({ server }) => {
    const rally = connect(server)
    const socket = await server.nextSocket()
    await until(rally, 'open')
    const seen = rally.things.onThing({ id: 'a' }, { next: () => {} })
    socket.ws.close(4504)
    await until(rally, 'idle')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(server.attempts).toHaveLength(1)
    server.on('things.get', () => ({ data: { name: 'A' } }))
    expect(await rally.things.get({ id: 'a' })).toEqual({ name: 'A' })
    const next = await server.nextSocket()
    await next.next('things.onThing')
    seen()
  })

  test('comes back after 4504 for a call that was under way, and for a subscription', async ({ server }) => {
    const rally = connect(server)
    const first = await server.nextSocket()
    await until(rally, 'open')
    const waiting = rally.things.get({ id: 'a' })
    await first.next('things.get')
    server.on('things.get', () => ({ data: { name: 'A' } }))
    first.ws.close(4504)
    expect(await waiting).toEqual({ name: 'A' })

    const second = await server.nextSocket()
    second.ws.close(4504)
    await until(rally, 'idle')
    rally.things.onThing({ id: 'a' }, { next: () => {} })
    await until(rally, 'open')
  })

  test('reconnects after 4504 when the user does something in the page, or the page is shown', async ({ server }) => {
    const page = stubPage()
    const rally = connect(server)
    for (const move of ['pointermove', 'keydown', 'visibilitychange']) {
      const socket = await server.nextSocket()
      await until(rally, 'open')
      socket.ws.close(4504)
      await until(rally, 'idle')
      page.dispatchEvent(new Event(move))
    }
    await until(rally, 'open')
  })

  test('gives up a socket on which no welcome comes', async ({ server }) => {
    server.mute = true
    const rally = connect(server, { connectTimeoutMs: 30 })
    await server.nextSocket()
    server.mute = false
    await server.nextSocket()
    await until(rally, 'open')
  })

  test('notices a dead peer within 1.5 heartbeats, and not before', async () => {
    const server = await startServer({ heartbeatMs: 400 })
    const rally = connect(server, { clockIntervalMs: 10 ** 6 })
    const first = await server.nextSocket()
    await until(rally, 'open')
    server.on('rpc.ping', (_message, socket) => (socket === first ? undefined : { data: {} }))
    first.send({ type: 'things.onThing', eid: 'nobody', seq: 1, data: {} })
    const silentSince = performance.now()
    await until(rally, 'reconnecting')
    const noticedMs = performance.now() - silentSince
    expect(noticedMs).toBeGreaterThan(590)
    expect(noticedMs).toBeLessThan(800)
    await until(rally, 'open')
  })

  test('asks a quiet server for a sign of life, and keeps the socket that gives one', async () => {
    const server = await startServer({ heartbeatMs: 40 })
    const rally = connect(server, { clockIntervalMs: 10 ** 6 })
    const socket = await server.nextSocket()
    // Five for the clock, then one for each heartbeat.
    for (let ping = 0; ping < 9; ping++) await socket.next('rpc.ping')
    expect(rally.status).toBe('open')
    expect(server.sockets).toHaveLength(1)
  })

  test('does not wait any longer once the network is back or the page is seen', async ({ server }) => {
    const page = stubPage()
    const rally = connect(server, { backoff: NEVER })
    for (const wake of ['online', 'visibilitychange']) {
      const socket = await server.nextSocket()
      await until(rally, 'open')
      socket.ws.terminate()
      await until(rally, 'reconnecting')
      page.dispatchEvent(new Event(wake))
    }
    await until(rally, 'open')
    rally.close()
    page.dispatchEvent(new Event('online'))
    expect(server.attempts).toHaveLength(3)
  })

  test('asks for a sign of life when the network has changed', async () => {
    const page = stubPage()
    const server = await startServer({ heartbeatMs: 100 })
    const rally = connect(server, { clockIntervalMs: 10 ** 6 })
    const first = await server.nextSocket()
    await until(rally, 'open')
    server.on('rpc.ping', (_message, socket) => (socket === first ? undefined : { data: {} }))
    const before = first.count('rpc.ping')
    page.dispatchEvent(new Event('online'))
    await until(rally, 'reconnecting')
    expect(first.count('rpc.ping')).toBeGreaterThan(before)
    await until(rally, 'open')
  })

  test('gives up a socket that sends something else than envelopes', async ({ server, rally }) => {
    const socket = await server.nextSocket()
    await until(rally, 'open')
    socket.ws.send('{"nonsense":')
    await until(rally, 'reconnecting')
    await until(rally, 'open')
  })

  test('emits binary frames, and errors that belong to no request', async ({ server, rally }) => {
    const socket = await server.nextSocket()
    await until(rally, 'open')
    const frame = once(rally, 'frame')
    socket.ws.send(new Uint8Array([1, 2, 3]))
    expect(new Uint8Array(await frame)).toEqual(new Uint8Array([1, 2, 3]))
    const error = once(rally, 'error')
    socket.send({ type: 'rpc.error', eid: 'unknown', data: { message: 'what?' }, error: 'BAD_ENVELOPE' })
    expect(await error).toMatchObject({ code: 'BAD_ENVELOPE', message: 'what?' })
  })

  test('may be closed or renewed from within its own listeners', async ({ server, rally }) => {
    const first = await server.nextSocket()
    await until(rally, 'open')
    const stop = rally.on('status', (status) => {
      if (status === 'reconnecting') rally.reconnect()
    })
    first.ws.terminate()
    const second = await server.nextSocket()
    await until(rally, 'open')
    stop()
    rally.on('status', () => rally.close())
    second.ws.terminate()
    await until(rally, 'closed')
    expect(server.attempts).toHaveLength(2)
  })

  test('leaves no timer behind when it is closed', async () => {
    const server = await startServer({ heartbeatMs: 50 })
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const rally = connect(server)
    const socket = await server.nextSocket()
    await until(rally, 'open')
    const waiting = rally.things.get({ id: 'a' })
    rally.things.onThing({ id: '1' }, { next: () => {} })
    await socket.next('things.onThing')
    rally.close()
    rally.close()
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' })
    expect(await socket.closed).toBe(1000)
    await vi.waitFor(() => expect(timers()).toBeLessThanOrEqual(before))
  })
})

/** A page as far as the client looks at one; there until the test's client is closed. */
function stubPage(): EventTarget {
  onTestFinished(() => {
    vi.unstubAllGlobals()
  })
  const page = new EventTarget()
  const listen = page.addEventListener.bind(page)
  const unlisten = page.removeEventListener.bind(page)
  vi.stubGlobal('document', { visibilityState: 'visible', addEventListener: listen, removeEventListener: unlisten })
  vi.stubGlobal('addEventListener', listen)
  vi.stubGlobal('removeEventListener', unlisten)
  return page
}
