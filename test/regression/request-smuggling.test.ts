import { expect, test } from 'vitest'
import { talk } from '../support/raw-tcp.ts'
import { startRig } from '../support/rig.ts'

const post = (headers: string, body: string) =>
  `POST /session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n${body}`

test.for([
  ['two lengths', 'Content-Length: 5\r\nContent-Length: 0\r\n', 'hello'],
  ['two lengths, the first of nothing', 'Content-Length: 0\r\nContent-Length: 5\r\n', 'hello'],
  ['the same length twice', 'Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'],
  ['a length and an encoding', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
  ['two encodings', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'],
  ['a negative length', 'Content-Length: -5\r\n', ''],
  ['a length that is no number', 'Content-Length: 5x\r\n', 'hello'],
  ['an encoding that is unknown', 'Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'],
] as const)('a request with %s is refused and ends its connection', async ([, headers, body]) => {
  await using rig = await startRig()
  expect(await talk(rig.port, post(headers, body))).toMatch(/^HTTP\/1\.1 (400|411) /)
  expect(rig.gate.calls).toEqual([])
})

test.for(['POST /session', 'GET /healthz', 'PUT /nothing', 'GET /ws'])(
  'what is hidden behind the chunks of a %s is not answered',
  async (start) => {
    await using rig = await startRig()
    const hidden = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
    const request = `${start} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX${hidden}`
    expect(await talk(rig.port, request)).not.toMatch(/ 200 /)
    const alone = `${start} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`
    expect(await talk(rig.port, alone)).toMatch(/^HTTP\/1\.1 411 /)
  },
)

test('what is hidden in the body of a refused method is not answered', async () => {
  await using rig = await startRig()
  const hidden = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
  const request = `POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n${hidden}`
  expect(await talk(rig.port, request.replace('Length: 0', `Length: ${hidden.length}`))).not.toMatch(/ 200 /)
})

test('an unexpected body is refused, and its connection ends before the body has arrived', async () => {
  await using rig = await startRig()
  const request = 'GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n'
  expect(await talk(rig.port, request)).toMatch(/^HTTP\/1\.1 413 /)
})

test('a request hidden behind such a request is not answered', async () => {
  await using rig = await startRig({
    server: { database: { ping: () => Promise.reject(new Error('asked for readiness')) } },
  })
  const hidden = 'GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n'
  const headers = `Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n`
  expect(await talk(rig.port, post(headers, hidden))).not.toMatch(/503/)
})

test('an upgrade with two body lengths is refused too', async () => {
  await using rig = await startRig()
  const request =
    'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\nContent-Length: 9\r\n' +
    'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n'
  expect(await talk(rig.port, request)).toMatch(/^HTTP\/1\.1 400 /)
  expect(rig.server.stats.opened).toBe(0)
})
