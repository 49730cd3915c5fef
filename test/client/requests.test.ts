import { describe, expect } from 'vitest'
import { RallyError } from '../../src/client/index.ts'
import { connect, once, startServer, test, until } from './support.ts'

describe('requests', () => {
  test('are answered, whatever the order of the answers', async ({ server, rally }) => {
    const first = rally.things.get({ id: 'a' })
    const second = rally.things.get({ id: 'b' })
    const socket = await server.nextSocket()
    const a = await socket.next('things.get')
    const b = await socket.next('things.get')
    socket.answer(b, { name: 'B' })
    socket.answer(a, { name: 'A' })
    expect(await first).toEqual({ name: 'A' })
    expect(await second).toEqual({ name: 'B' })
    expect(a.data).toEqual({ id: 'a' })
    expect(a.eid).not.toBe(b.eid)
  })

  test('fail with code, message, issues and whether a retry makes sense', async ({ server, rally }) => {
    server.on('things.put', () => ({
      error: 'RATE_LIMITED',
      data: { message: 'slow down', retryAfterMs: 70, issues: [{ path: 'name', message: 'long' }] },
    }))
    const error = await rally.things.put({ name: 'x' }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(RallyError)
    expect(error).toMatchObject({
      code: 'RATE_LIMITED',
      message: 'slow down',
      retryAfterMs: 70,
      temporary: true,
      issues: [{ path: 'name', message: 'long' }],
      type: 'things.put',
    })
  })

  test('`try` gives an outcome in place of an exception', async ({ server, rally }) => {
    server.on('things.put', () => ({ error: 'FULL', data: { message: 'no room' } }))
    server.on('things.list', () => ({ data: { items: ['a'] } }))
    const refused = await rally.things.put.try({ name: 'x' })
    expect(!refused.ok && refused.error.code).toBe('FULL')
    expect(await rally.things.list.try()).toEqual({ ok: true, data: { items: ['a'] } })
  })

  test('wait for the connection, and go out in their order', async ({ server }) => {
    server.refusing = true
    const rally = connect(server)
    const answers = ['a', 'b', 'c'].map((id) => rally.things.get({ id }))
    server.on('things.get', ({ data }) => ({ data: { name: data } }))
    server.refusing = false
    expect(await Promise.all(answers)).toHaveLength(3)
    expect(server.received('things.get').map(({ data }) => data)).toEqual([{ id: 'a' }, { id: 'b' }, { id: 'c' }])
  })

  test('are sent again with the same eid after a cut', async ({ server, rally }) => {
    const answer = rally.things.put({ name: 'x' })
    const first = await server.nextSocket()
    const sent = await first.next('things.put')
    first.ws.terminate()
    const second = await server.nextSocket()
    const again = await second.next('things.put')
    expect(again.eid).toBe(sent.eid)
    expect(again.data).toEqual(sent.data)
    second.answer(again, { id: '1' })
    expect(await answer).toEqual({ id: '1' })
  })

  test('that a leaving node refuses go to the next one', async ({ server, rally }) => {
    const answer = rally.things.put({ name: 'x' })
    const first = await server.nextSocket()
    const sent = await first.next('things.put')
    first.answer(sent, { message: 'This node is leaving', retryAfterMs: 60_000 }, 'UNAVAILABLE')
    first.ws.close(4000)
    const second = await server.nextSocket()
    const again = await second.next('things.put')
    expect(again.eid).toBe(sent.eid)
    second.answer(again, { id: '1' })
    expect(await answer).toEqual({ id: '1' })
  })

  test('are tried again while the server is unavailable, until their deadline', async ({ server, rally }) => {
    server.on('things.put', () => ({ error: 'UNAVAILABLE', data: { message: 'no database', retryAfterMs: 5 } }))
    const error = await rally.things.put({ name: 'x' }, { timeoutMs: 150 }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'UNAVAILABLE', temporary: true })
    const eids = server.received('things.put').map(({ eid }) => eid)
    expect(eids.length).toBeGreaterThan(2)
    expect(new Set(eids).size).toBe(1)
  })

  test('time out, and say whether they were ever sent', async ({ server, rally }) => {
    await until(rally, 'open')
    const sent = rally.things.get({ id: 'a' }, { timeoutMs: 20, eid: 'mine' })
    await expect(sent).rejects.toMatchObject({ code: 'TIMEOUT', eid: 'mine', temporary: true })
    server.refusing = true
    for (const socket of server.sockets) socket.ws.terminate()
    await until(rally, 'reconnecting')
    const unsent = rally.things.get({ id: 'a' }, { timeoutMs: 20 })
    await expect(unsent).rejects.toMatchObject({ code: 'OFFLINE', temporary: true })
  })

  test('that may not wait for a connection fail without one, and are never sent', async ({ server, rally }) => {
    server.on('things.put', () => ({ data: { id: '1' } }))
    await until(rally, 'open')
    server.refusing = true
    for (const socket of server.sockets) socket.ws.terminate()
    await until(rally, 'reconnecting')
    const patient = rally.things.put({ name: 'patient' })
    await expect(rally.things.put({ name: 'now' }, { offlineMs: 0 })).rejects.toMatchObject({ code: 'OFFLINE' })
    server.refusing = false
    expect(await patient).toEqual({ id: '1' })
    // With a connection they are calls like others.
    expect(await rally.things.put({ name: 'again' }, { offlineMs: 0 })).toEqual({ id: '1' })
    expect(server.received('things.put').map(({ data }) => data)).toEqual([{ name: 'patient' }, { name: 'again' }])
  })

  test('that may not wait say so when their connection broke, and are not sent again', async ({ server, rally }) => {
    const first = await server.nextSocket()
    await until(rally, 'open')
    const sent = rally.things.put({ name: 'y' }, { offlineMs: 0 })
    await first.next('things.put')
    server.refusing = true
    first.ws.terminate()
    await expect(sent).rejects.toMatchObject({ code: 'TIMEOUT' })
    server.refusing = false
    await server.nextSocket()
    await until(rally, 'open')
    expect(server.received('things.put').map(({ data }) => data)).toEqual([{ name: 'y' }])
  })

  test('that may wait a moment go on where the connection is back within it', async ({ server, rally }) => {
    const call = rally.things.put({ name: 'x' }, { offlineMs: 5_000 })
    const first = await server.nextSocket()
    const sent = await first.next('things.put')
    first.ws.terminate()
    const second = await server.nextSocket()
    const again = await second.next('things.put')
    expect(again.eid).toBe(sent.eid)
    second.answer(again, { id: '1' })
    expect(await call).toEqual({ id: '1' })
  })

  test('can be aborted before and while they wait', async ({ server, rally }) => {
    await expect(rally.things.get({ id: 'a' }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    })
    const abort = new AbortController()
    const call = rally.things.get({ id: 'b' }, { signal: abort.signal })
    const socket = await server.nextSocket()
    const sent = await socket.next('things.get')
    abort.abort()
    await expect(call).rejects.toMatchObject({ code: 'ABORTED', eid: sent.eid })
    expect(server.received('things.get')).toHaveLength(1)
  })

  test('over the bound of the queue fail at once', async ({ server }) => {
    server.refusing = true
    const rally = connect(server, { maxQueued: 2 })
    const waiting = [rally.things.get({ id: 'a' }), rally.things.get({ id: 'b' })]
    await expect(rally.things.get({ id: 'c' })).rejects.toMatchObject({ code: 'OFFLINE', temporary: true })
    server.on('things.get', () => ({ data: { name: 'x' } }))
    server.refusing = false
    expect(await Promise.all(waiting)).toHaveLength(2)
  })

  test('stay within what the server takes at once and per second', async () => {
    const server = await startServer({ limits: { requestsInFlight: 8, requestsPerSecond: 1000, requestsBurst: 20 } })
    const rally = connect(server)
    const calls = Array.from({ length: 60 }, (_, index) => rally.things.get({ id: `${index}` }))
    const socket = await server.nextSocket()
    const startedAt = performance.now()
    let inFlight = 0
    let most = 0
    for (let answered = 0; answered < 60; ) {
      const batch = [await socket.next('things.get')]
      inFlight = socket.count('things.get') - answered
      most = Math.max(most, inFlight)
      for (const message of batch) socket.answer(message, { name: 'x' })
      answered += batch.length
    }
    await Promise.all(calls)
    expect(most).toBeLessThanOrEqual(8)
    // 18 at once, the other 42 at 900 a second.
    expect(performance.now() - startedAt).toBeGreaterThan(40)
  })

  test('larger than a frame are refused here, not sent for ever', async () => {
    const server = await startServer({ limits: { frameBytes: 1000 } })
    const rally = connect(server)
    await expect(rally.things.put({ name: 'x'.repeat(1000) })).rejects.toMatchObject({ code: 'TOO_BIG' })
    await expect(rally.things.put({ name: '\u20ac'.repeat(320) })).rejects.toMatchObject({ code: 'TOO_BIG' })
    server.on('things.put', () => ({ data: { id: '1' } }))
    expect(await rally.things.put({ name: '\u20ac'.repeat(200) })).toEqual({ id: '1' })
    expect(server.received('things.put')).toHaveLength(1)
  })

  test('of one user are never sent in the name of another', async ({ server }) => {
    server.user = { id: 'u1', username: 'ana' }
    const rally = connect(server)
    const call = rally.things.put({ name: 'x' })
    const first = await server.nextSocket()
    await first.next('things.put')
    server.user = { id: 'u2', username: 'ben' }
    first.ws.terminate()
    await expect(call).rejects.toMatchObject({ code: 'USER_CHANGED' })
    expect(server.received('things.put')).toHaveLength(1)
  })

  test('that nobody answers are sent once, or dropped without a connection', async ({ server, rally }) => {
    await rally.live.input({ move: 1 })
    await until(rally, 'open')
    expect(await rally.live.input({ move: 2 })).toEqual({})
    const socket = await server.nextSocket()
    const sent = await socket.next('live.input')
    expect(sent.data).toEqual({ move: 2 })
    const error = once(rally, 'error')
    socket.answer(sent, { message: 'over' }, 'NOT_LIVE')
    expect(await error).toMatchObject({ code: 'NOT_LIVE', type: 'live.input' })
  })

  test('fail when the client closes, and afterwards', async ({ rally }) => {
    const call = rally.things.get({ id: 'a' })
    rally.close()
    await expect(call).rejects.toMatchObject({ code: 'CLOSED', temporary: false })
    await expect(rally.things.get({ id: 'a' })).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
