import { get } from 'node:http'
import { describe, expect, test } from 'vitest'
import { startRig } from '../support/rig.ts'

const TOKEN = 'a-token-for-the-metrics'
const TEXT = 'rally_sockets 0\n'
const server = { metrics: async () => TEXT }

describe('on the main port', () => {
  test('metrics want their token from everybody, from this machine too', async () => {
    await using rig = await startRig({ server, config: { metricsToken: TOKEN } })
    const ask = (headers: Record<string, string>) => fetch(`${rig.url}/metrics`, { headers })
    const refused = await ask({})
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
    expect((await ask({ Authorization: `Bearer ${TOKEN}x` })).status).toBe(401)
    expect((await ask({ Authorization: TOKEN })).status).toBe(401)
    const answer = await ask({ Authorization: `Bearer ${TOKEN}` })
    expect([answer.status, await answer.text()]).toEqual([200, TEXT])
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  })

  test('there are none without a token', async () => {
    await using rig = await startRig({ server })
    expect((await fetch(`${rig.url}/metrics`)).status).toBe(404)
    const headers = { Authorization: 'Bearer undefined' }
    expect((await fetch(`${rig.url}/metrics`, { headers })).status).toBe(404)
  })
})

describe('the admin port', () => {
  const config = { adminPort: 0, metricsToken: TOKEN }

  test('answers metrics without a token, health and readiness, and nothing else', async () => {
    await using rig = await startRig({ server, config })
    const answer = await fetch(`${rig.adminUrl}/metrics`)
    expect([answer.status, await answer.text()]).toEqual([200, TEXT])
    expect(await (await fetch(`${rig.adminUrl}/healthz`)).json()).toEqual({ status: 'ok' })
    expect(await (await fetch(`${rig.adminUrl}/readyz`)).json()).toEqual({ status: 'ready' })
    const head = await fetch(`${rig.adminUrl}/metrics`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    for (const path of ['/', '/session', '/ws', '/constructor']) {
      expect([path, (await fetch(rig.adminUrl + path)).status]).toEqual([path, 404])
    }
    expect((await fetch(`${rig.adminUrl}/metrics`, { method: 'DELETE' })).status).toBe(405)
    expect((await fetch(`${rig.adminUrl}/metrics`, { method: 'POST', body: 'x' })).status).toBe(413)
  })

  test('opens no socket', async () => {
    await using rig = await startRig({ server, config })
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }
    const status = await new Promise((resolve, reject) => {
      get(`${rig.adminUrl}/ws`, { headers }, (answer) => resolve(answer.statusCode)).on('error', reject)
    })
    expect(status).toBe(404)
  })

  test('goes on while the node leaves, and closes with the server', async () => {
    await using rig = await startRig({ server, config })
    rig.server.stopAccepting()
    expect((await fetch(`${rig.adminUrl}/readyz`)).status).toBe(503)
    expect((await fetch(`${rig.adminUrl}/metrics`)).status).toBe(200)
    await rig.stop()
    await expect(fetch(`${rig.adminUrl}/metrics`)).rejects.toThrow()
  })

  test('says 500 when the metrics cannot be had', async () => {
    await using rig = await startRig({ server: { metrics: () => Promise.reject(new Error('no metrics')) }, config })
    expect((await fetch(`${rig.adminUrl}/metrics`)).status).toBe(500)
    expect(rig.errors).toHaveLength(1)
  })

  test('a port that is taken ends the start', async () => {
    await using rig = await startRig({ server, config })
    const adminPort = Number(new URL(rig.adminUrl ?? '').port)
    await expect(startRig({ server, config: { adminPort } })).rejects.toThrow(`127.0.0.1:${adminPort} is taken`)
  })
})
