import { expect, test } from 'vitest'
import { connect, within } from '../support/client.ts'
import { startRally } from '../support/server.ts'

test('a server that was told to stop is not ready at once, and serves until its grace period is over', async () => {
  await using rally = await startRally({ config: { drainGraceMs: 1_500 } })
  await using early = await connect(rally.url)
  const stopped = rally.stop()
  const ready = await fetch(`${rally.url}/readyz`)
  expect([ready.status, await ready.json()]).toEqual([503, { status: 'draining' }])
  expect((await fetch(`${rally.url}/healthz`)).status).toBe(200)
  await using late = await connect(rally.url)
  expect(await late.call('rpc.ping')).toEqual({})

  for (const { closed } of [early, late]) expect(await within(closed, 'the closing')).toMatchObject({ code: 4000 })
  await stopped
  await expect(connect(rally.url)).rejects.toThrow(/ECONNREFUSED/)
})
