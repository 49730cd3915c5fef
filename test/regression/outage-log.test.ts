import { expect, test } from 'vitest'
import { connect, refusal } from '../support/client.ts'
import { startRig } from '../support/rig.ts'

test('an outage of the database is logged once when it begins and once when it ends, however many sockets are refused', async () => {
  await using rig = await startRig({ limits: { socketsPerIp: 1_000 } })
  const cookie = await rig.cookieOf('ada')
  rig.gate.fails = true
  const refusals = await Promise.all(Array.from({ length: 100 }, () => refusal(rig.url, { cookie })))
  expect(refusals.every(({ status }) => status === 503)).toBe(true)
  await fetch(`${rig.url}/session`, { method: 'DELETE', headers: { Cookie: cookie } })
  expect(rig.errors).toHaveLength(1)
  expect(rig.notes).toEqual([])

  rig.gate.fails = false
  await expect
    .poll(
      async () => {
        await using client = await connect(rig.url, { cookie })
        expect(client.welcome.user).toMatchObject({ username: 'ada' })
        return rig.notes
      },
      { timeout: 5_000 },
    )
    .toEqual([expect.objectContaining({ failures: expect.any(Number) })])
  expect(rig.errors).toHaveLength(1)
})
