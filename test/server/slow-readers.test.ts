import type { Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { clientFrame } from '../../bench/support/raw-client.ts'
import { connect, type TestClient } from '../support/client.ts'
import { handshake, openTcp } from '../support/raw-tcp.ts'
import { anyBytes, type Rig, startRig } from '../support/rig.ts'

const PING = '{"type":"rpc.ping","eid":"p","ts":0}'
const KiB = 1024
const MiB = 1024 * KiB

/** A socket that sends frames for as long as the test lasts, follows the frames of `t.onFrame`, and reads nothing. */
async function openDeaf(rig: Rig): Promise<Socket> {
  const tcp = await openTcp(rig.port)
  onTestFinished(() => void tcp.destroy())
  tcp.write(handshake())
  await new Promise((resolve) => tcp.once('data', resolve))
  tcp.pause()
  tcp.write(clientFrame('{"type":"t.onFrame","eid":"f","ts":0,"data":{}}'))
  const talking = setInterval(() => tcp.write(clientFrame(PING)), 200)
  onTestFinished(() => clearInterval(talking))
  return tcp
}

test('a socket that sends frames and answers no ping is closed with 4008', { timeout: 30_000 }, async () => {
  await using rig = await startRig({ config: { heartbeatMs: 500 } })
  await openDeaf(rig)
  await using other = await connect(rig.url)
  await expect.poll(() => rig.server.stats.closed.get(4008), { timeout: 15_000 }).toBe(1)
  expect(await other.call('rpc.ping')).toEqual({})
  expect(rig.server.stats.open).toBe(1)
})

/** How many pings a client gets. */
function countPings({ socket }: TestClient): () => number {
  let pings = 0
  socket.on('ping', () => pings++)
  return () => pings
}

test('a socket that is sent much and reads nothing is closed with 4008 long before a heartbeat is over', {
  timeout: 30_000,
}, async () => {
  await using rig = await startRig({ config: { heartbeatMs: 15_000 } })
  await using reader = await connect(rig.url)
  await using quiet = await connect(rig.url)
  const [pingsOfReader, pingsOfQuiet] = [countPings(reader), countPings(quiet)]
  await reader.subscribe('t.onFrame')
  await quiet.subscribe('t.onLog', { key: 'a' })
  await openDeaf(rig)
  await expect.poll(() => rig.server.stats.open).toBe(3)
  const showing = setInterval(() => rig.world.show('x'.repeat(KiB)), 50)
  onTestFinished(() => clearInterval(showing))
  await expect.poll(() => rig.server.stats.closed.get(4008), { timeout: 10_000 }).toBe(1)
  clearInterval(showing)
  // One that reads is asked too, and stays. One that is sent nothing is not asked.
  expect(pingsOfReader()).toBeGreaterThan(0)
  expect(await reader.call('rpc.ping')).toEqual({})
  expect(pingsOfQuiet()).toBe(0)
})

test('a socket of which nothing that waits goes out is closed with 4008 in some seconds', {
  timeout: 30_000,
}, async () => {
  const latestUnsentBytes = 128 * KiB
  await using rig = await startRig({ limits: { ...anyBytes, latestUnsentBytes } })
  await openDeaf(rig)
  await expect.poll(() => rig.server.stats.open).toBe(1)
  // The system itself takes some MiB.
  const showing = setInterval(() => rig.world.show('x'.repeat(60 * KiB)), 20)
  onTestFinished(() => clearInterval(showing))
  const [socket] = rig.dispatcher.connections
  await expect.poll(() => socket?.unsentBytes(), { timeout: 10_000 }).toBeGreaterThan(latestUnsentBytes)
  expect(socket?.unsentBytes()).toBeLessThan(MiB)
  const stuckAt = performance.now()
  await expect.poll(() => rig.server.stats.closed.get(4008), { timeout: 15_000 }).toBe(1)
  expect(performance.now() - stuckAt).toBeLessThan(10_000)
})
