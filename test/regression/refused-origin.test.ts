import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createClient, type RallyError } from '../../src/client/index.ts'
import type { TestApi } from '../client/support.ts'
import { startRig } from '../support/rig.ts'

const ORIGIN = 'https://elsewhere.example'

/** A client in a page of `ORIGIN`. */
function pageOf(url: string) {
  return createClient<TestApi>({
    url,
    createSocket: (address, protocol) => new WebSocket(address, protocol, { origin: ORIGIN }),
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init?.headers, Origin: ORIGIN } }),
    backoff: { minMs: 5, maxMs: 20 },
  })
}

test('a page of a refused origin is told why it does not connect, and the server logs the origin once', async () => {
  await using rig = await startRig()
  const rally = pageOf(rig.url)
  try {
    const refusal = await new Promise<RallyError>((resolve) => rally.on('refused', resolve))
    expect(refusal).toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('ALLOWED_ORIGINS') })
    expect(rally.refusal).toBe(refusal)
    expect(rally.status).toBe('connecting')
    await expect(rally.things.list({}, { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'OFFLINE',
      message: expect.stringContaining('ALLOWED_ORIGINS'),
    })
    // Several attempts by now.
    expect(rig.notes).toEqual([{ origin: ORIGIN }])
  } finally {
    rally.close()
  }
})

test('a page of any origin may read why the socket would be refused, or that it would not', async () => {
  await using rig = await startRig()
  for (const [origin, status] of [
    [ORIGIN, 403],
    [rig.url, 426],
  ] as const) {
    const answer = await fetch(`${rig.url}/ws`, { method: 'POST', headers: { Origin: origin } })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('*')
  }
})

test('many refused origins write few lines into the log', async () => {
  await using rig = await startRig({ limits: { upgradesBurst: 10_000 } })
  const refused = Array.from({ length: 150 }, (_, index) => {
    const socket = new WebSocket(`${rig.url.replace('http', 'ws')}/ws`, { origin: `https://${index}.example` })
    return new Promise((resolve) => socket.once('error', resolve))
  })
  await Promise.all(refused)
  expect(rig.notes).toHaveLength(100)
})

test('a server that cannot be reached is not reported as refusing', async () => {
  const rig = await startRig()
  await rig.stop()
  const rally = pageOf(rig.url)
  try {
    await expect(rally.things.list({}, { timeoutMs: 200 })).rejects.toMatchObject({ code: 'OFFLINE' })
    expect(rally.refusal).toBeNull()
  } finally {
    rally.close()
  }
})
