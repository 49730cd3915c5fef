import { expect, test } from 'vitest'
import { startRig } from '../support/rig.ts'

const TOKEN = 'a-token-for-the-metrics'
const server = { metrics: async () => 'rally_sockets 0\n' }

test('metrics are shown on this machine', async () => {
  await using rig = await startRig({ server })
  const answer = await fetch(`${rig.url}/metrics`)
  expect([answer.status, await answer.text()]).toEqual([200, 'rally_sockets 0\n'])
})

test.for([{ 'X-Forwarded-For': '1.2.3.4' }, { Forwarded: 'for=1.2.3.4' }])(
  'they are not shown to what a proxy on this machine passes on: %o',
  async (headers) => {
    await using rig = await startRig({ server, config: { trustedProxyHops: 1, metricsToken: TOKEN } })
    const status = async (more: Record<string, string>) =>
      (await fetch(`${rig.url}/metrics`, { headers: { ...headers, ...more } })).status
    expect(await status({})).toBe(401)
    expect(await status({ Authorization: `Bearer ${TOKEN}x` })).toBe(401)
    expect(await status({ Authorization: TOKEN })).toBe(401)
    expect(await status({ Authorization: `Bearer ${TOKEN}` })).toBe(200)
  },
)

test('without a token nobody else sees them', async () => {
  await using rig = await startRig({ server })
  const headers = { 'X-Forwarded-For': '1.2.3.4', Authorization: 'Bearer undefined' }
  expect((await fetch(`${rig.url}/metrics`, { headers })).status).toBe(401)
})
