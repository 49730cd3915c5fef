import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { within } from '../support/client.ts'
import { openTcp } from '../support/raw-tcp.ts'
import { startRig } from '../support/rig.ts'

const MiB = 1024 * 1024
const document = JSON.stringify('x'.repeat(MiB))
const limits = { requestsPerSecond: 1e6, requestsBurst: 1e6, bytesPerSecond: 1e9, bytesBurst: 1e9 }
const server = { documents: { '/large.json': () => document } }
const GET = 'GET /large.json HTTP/1.1\r\nHost: x\r\n\r\n'

test('a connection that asks for large answers and reads none is closed', async () => {
  await using rig = await startRig({ limits, server })
  const tcp = await openTcp(rig.port)
  onTestFinished(() => void tcp.destroy())
  tcp.pause()
  let isClosed = false
  tcp.once('close', () => {
    isClosed = true
  })
  // The system itself takes some MiB.
  for (let sent = 0; sent < 60 && !isClosed; sent++) {
    tcp.write(GET)
    await sleep(20)
  }
  expect(isClosed).toBe(true)
})

test('a client that reads late gets the whole answer, and the next one on the same connection', async () => {
  const large = document.repeat(12)
  await using rig = await startRig({ limits, server: { documents: { '/large.json': () => large } } })
  const tcp = await openTcp(rig.port)
  onTestFinished(() => void tcp.destroy())
  for (let round = 0; round < 2; round++) {
    tcp.write(GET)
    await within(once(tcp, 'readable'), 'the beginning of the answer')
    await sleep(100)
    const chunks: Buffer[] = []
    let missing = Buffer.byteLength(large)
    while (missing > 0) {
      const chunk: Buffer | null = tcp.read()
      if (chunk === null) {
        await within(once(tcp, 'readable'), 'more of the answer')
        continue
      }
      if (chunks.length === 0) missing += chunk.indexOf('\r\n\r\n') + 4
      chunks.push(chunk)
      missing -= chunk.length
    }
    expect(missing).toBe(0)
    expect(Buffer.concat(chunks).toString().endsWith(large)).toBe(true)
  }
})

test('small answers that a connection does not read do not pile up', async () => {
  const small = JSON.stringify('x'.repeat(8 * 1024))
  await using rig = await startRig({ limits, server: { documents: { '/large.json': () => small } } })
  const tcp = await openTcp(rig.port)
  onTestFinished(() => void tcp.destroy())
  tcp.pause()
  let isClosed = false
  tcp.once('close', () => {
    isClosed = true
  })
  for (let sent = 0; sent < 60 && !isClosed; sent++) {
    tcp.write(GET.repeat(50))
    await sleep(20)
  }
  expect(isClosed).toBe(true)
})
