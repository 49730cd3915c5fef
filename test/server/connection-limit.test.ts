import type { Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { connect, within } from '../support/client.ts'
import { openTcp } from '../support/raw-tcp.ts'
import { startRig } from '../support/rig.ts'

/** A connection, and when it was closed by the server. */
async function open(port: number): Promise<{ tcp: Socket; closed: Promise<void> }> {
  const tcp = await openTcp(port)
  onTestFinished(() => void tcp.destroy())
  // Only a reading socket notices its end.
  tcp.resume()
  return { tcp, closed: new Promise((resolve) => tcp.once('close', () => resolve())) }
}

test('connections are counted before they send anything, and a closed one makes room', async () => {
  await using rig = await startRig({ config: { maxConnections: 3 } })
  const kept = [await open(rig.port), await open(rig.port), await open(rig.port)]
  const refused = await open(rig.port)
  await within(refused.closed, 'the refusal')
  expect(kept.map(({ tcp }) => tcp.closed)).toEqual([false, false, false])
  kept[0]?.tcp.destroy()
  await expect
    .poll(() => connect(rig.url).then(async (client) => client.close().then(() => 'open'), String))
    .toBe('open')
  expect(rig.errors).toHaveLength(1)
})

test('a socket counts as one connection until it is closed', async () => {
  await using rig = await startRig({ config: { maxConnections: 2 } })
  await using _first = await connect(rig.url)
  const second = await connect(rig.url)
  await expect(connect(rig.url)).rejects.toThrow()
  await second.close()
  for (let i = 0; i < 5; i++) {
    const next = await connect(rig.url)
    await next.close()
    await expect.poll(() => rig.server.stats.open).toBe(1)
  }
})

test('a client that sends a request very slowly is cut', { timeout: 30_000 }, async () => {
  await using rig = await startRig()
  const { tcp, closed } = await open(rig.port)
  tcp.write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  const trickle = setInterval(() => tcp.write('x'), 500)
  onTestFinished(() => clearInterval(trickle))
  await within(closed, 'the end of a slow request', 20_000)
})
