import { describe, expect, onTestFinished, test } from 'vitest'
import { connect, refusal, within } from '../support/client.ts'
import { openTcp } from '../support/raw-tcp.ts'
import { startRig } from '../support/rig.ts'

const from = (ip: string) => ({ headers: { 'X-Forwarded-For': ip } })
const behindProxy = { trustedProxyHops: 1 }

describe('upgrades', () => {
  test('from one address have a rate, which new sockets do not reset, and cause no look-up over it', async () => {
    await using rig = await startRig({ limits: { upgradesPerSecond: 1, upgradesBurst: 5 } })
    const cookie = await rig.cookieOf('ada')
    for (let i = 0; i < 5; i++) await (await connect(rig.url, { cookie })).close()
    expect(await refusal(rig.url, { cookie, origin: 'https://evil.example' })).toMatchObject({
      status: 429,
      headers: { 'retry-after': '1' },
    })
    expect(rig.gate.calls).toHaveLength(5)
  })

  test('count for the /64 of an IPv6 address, and for the /48 around it', async () => {
    await using rig = await startRig({ config: behindProxy, limits: { upgradesPerSecond: 1, upgradesBurst: 2 } })
    const open = (ip: string) =>
      connect(rig.url, from(ip)).then(
        (client) => client.close().then(() => 101),
        (error: { status: number }) => error.status,
      )
    expect(await open('2001:db8:1:1::1')).toBe(101)
    expect(await open('2001:db8:1:1::2')).toBe(101)
    expect(await open('2001:db8:1:1::3')).toBe(429)
    for (let net = 2; net < 5; net++)
      for (const host of [1, 2]) expect(await open(`2001:db8:1:${net}::${host}`)).toBe(101)
    expect(await open('2001:db8:1:9::1')).toBe(429)
    expect(await open('2001:db8:2:9::1')).toBe(101)
  })
})

describe('HTTP requests', () => {
  test('from one address have a rate, and a request over it is not read', async () => {
    await using rig = await startRig({
      config: behindProxy,
      limits: { requestsPerSecond: 1, requestsBurst: 5, timesPerIp: 1 },
    })
    const cookie = await rig.cookieOf('ada')
    const signOut = (ip: string) =>
      fetch(`${rig.url}/session`, { method: 'DELETE', headers: { ...from(ip).headers, Cookie: cookie } })
    for (let i = 0; i < 5; i++) expect((await signOut('1.2.3.4')).status).toBe(200)
    const asked = rig.gate.calls.length
    const refused = await signOut('1.2.3.4')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    expect(await refused.json()).toMatchObject({ error: 'RATE_LIMITED', data: { retryAfterMs: expect.any(Number) } })
    expect(rig.gate.calls).toHaveLength(asked)
    expect((await signOut('1.2.3.5')).status).toBe(200)
  })
})

describe('connections', () => {
  test('from one address have a rate, before they send anything', async () => {
    await using rig = await startRig({ limits: { upgradesPerSecond: 1, upgradesBurst: 2 } })
    const opened = await Promise.all(Array.from({ length: 12 }, () => openTcp(rig.port)))
    const closed = opened.map((tcp) => new Promise((resolve) => tcp.resume().once('close', resolve)))
    onTestFinished(() => {
      for (const tcp of opened) tcp.destroy()
    })
    await within(Promise.race(closed), 'the first to be cut')
    await expect.poll(() => opened.filter((tcp) => tcp.closed).length).toBeGreaterThanOrEqual(3)
    expect(opened.filter((tcp) => !tcp.closed).length).toBeGreaterThanOrEqual(8)
  })
})
