import { request } from 'node:http'
import { expect, test } from 'vitest'
import { connect, within } from '../support/client.ts'
import { startRig } from '../support/rig.ts'

test('one socket too many is refused with RATE_LIMITED and a retryAfterMs, as every limit is', async () => {
  await using rig = await startRig({ limits: { socketsPerIp: 1 } })
  await using _first = await connect(rig.url)
  const answered = new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }
    const asking = request(`${rig.url}/ws`, { headers }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (part: string) => {
        body += part
      })
      answer.on('end', () => resolve({ status: answer.statusCode, body }))
    })
    asking.on('error', reject).end()
  })
  const { status, body } = await within(answered, 'the refusal')
  expect(status).toBe(429)
  expect(JSON.parse(body)).toMatchObject({ error: 'RATE_LIMITED', data: { retryAfterMs: 5000 } })
})
