import { connect as connectTcp } from 'node:net'
import { expect, test } from 'vitest'
import { connect, within } from '../support/client.ts'
import { startRig } from '../support/rig.ts'

/** Opens a socket by hand that never answers a ping; gives the code of the close frame and when it came. */
async function openMute(port: number): Promise<{ pings: number; code: number; afterMs: number }> {
  const tcp = connectTcp(port, '127.0.0.1')
  const began = Date.now()
  tcp.write(
    'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  )
  let bytes = Buffer.alloc(0)
  tcp.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
  })
  await within(new Promise((resolve) => tcp.once('end', resolve)), 'the end')
  tcp.destroy()
  const frames = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)
  let pings = 0
  for (let at = 0; at < frames.length; ) {
    const opcode = (frames[at] ?? 0) & 15
    const short = (frames[at + 1] ?? 0) & 127
    const [head, size] = short === 126 ? [4, frames.readUInt16BE(at + 2)] : [2, short]
    if (opcode === 9) pings++
    if (opcode === 8) return { pings, code: frames.readUInt16BE(at + head), afterMs: Date.now() - began }
    at += head + size
  }
  throw new Error('there was no close frame')
}

test('the welcome is the first frame, with user, node and limits', async () => {
  await using rig = await startRig({ config: { heartbeatMs: 7000 } })
  await using client = await connect(rig.url)
  expect(client.welcome).toEqual({
    user: null,
    node: 'node-under-test',
    version: '0.0.0-test',
    heartbeatMs: 7000,
    limits: rig.config.limits,
  })
})

test('a dead peer is pinged and closed with 4009 within about two heartbeats', async () => {
  await using rig = await startRig({ config: { heartbeatMs: 200 } })
  const { pings, code, afterMs } = await openMute(rig.port)
  expect(code).toBe(4009)
  expect(pings).toBeGreaterThanOrEqual(1)
  expect(afterMs).toBeGreaterThan(380)
  expect(afterMs).toBeLessThan(900)
  await expect.poll(() => rig.dispatcher.connections.size).toBe(0)
})

test('a peer that answers pings stays', async () => {
  await using rig = await startRig({ config: { heartbeatMs: 100 } })
  await using client = await connect(rig.url)
  let pings = 0
  await within(
    new Promise<void>((resolve) => {
      client.socket.on('ping', () => {
        if (++pings === 6) resolve()
      })
    }),
    'six pings',
  )
  expect(await client.call('rpc.ping')).toEqual({})
})

test('an anonymous socket that only pings is closed with 4504; one that asks, watches or is signed in stays', async () => {
  await using rig = await startRig({ limits: { anonymousIdleMs: 400 }, config: { heartbeatMs: 100 } })
  await using signedIn = await connect(rig.url, { cookie: await rig.cookieOf('ada') })
  await using busy = await connect(rig.url)
  await using watching = await connect(rig.url)
  await watching.subscribe('t.onLog', { key: 'a' })
  await using idle = await connect(rig.url)
  const asking = setInterval(() => {
    busy.send(JSON.stringify({ type: 't.echo', eid: 'e', ts: 0, data: { value: 1 } }))
    idle.send(JSON.stringify({ type: 'rpc.ping', eid: 'p', ts: 0 }))
  }, 100)
  expect(await within(idle.closed, 'the closing')).toEqual({ code: 4504, reason: 'idle for too long' })
  expect(await signedIn.call('rpc.ping')).toEqual({})
  expect(await busy.call('rpc.ping')).toEqual({})
  // It opened before the one that was closed, and was looked at as often.
  expect(await watching.call('rpc.ping')).toEqual({})
  clearInterval(asking)
})

test('a leaving node answers open requests, refuses new ones, and closes every socket with 4000', async () => {
  await using rig = await startRig({ limits: { requestMs: 300 } })
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect(rig.url)))
  const [first] = clients
  if (!first) throw new Error('no client')
  const running = first.request('t.hang')
  await expect.poll(() => rig.dispatcher.inFlight).toBe(1)
  rig.server.stopAccepting()
  rig.dispatcher.refuseRequests()
  const drained = rig.dispatcher.drain(2000)
  expect(await first.request('t.echo', { value: 1 })).toMatchObject({ error: 'UNAVAILABLE' })
  expect(await running).toMatchObject({ error: 'TIMEOUT' })
  await drained
  rig.dispatcher.connections.closeAll(4000, 'the node is leaving')
  await rig.server.close()
  const codes = await Promise.all(clients.map(async ({ closed }) => (await within(closed, 'the closing')).code))
  expect(codes).toEqual(clients.map(() => 4000))
  expect(rig.dispatcher.connections.size).toBe(0)
  expect(rig.server.stats.closed.get(4000)).toBe(20)
})

test('cut connections leave nothing behind', async () => {
  await using rig = await startRig()
  const clients = await Promise.all(Array.from({ length: 30 }, () => connect(rig.url)))
  await Promise.all(clients.map((client) => client.subscribe('t.onLog', { key: 'a' })))
  expect(rig.dispatcher.connections.size).toBe(30)
  for (const client of clients) client.socket.terminate()
  await expect.poll(() => rig.dispatcher.connections.size).toBe(0)
  expect(rig.server.stats.open).toBe(0)
  rig.world.append('a')
  expect(rig.errors).toEqual([])
})
