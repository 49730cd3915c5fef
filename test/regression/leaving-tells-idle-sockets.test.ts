import { expect, test } from 'vitest'
import { connect, within } from '../support/client.ts'
import { startRig } from '../support/rig.ts'

test('a leaving node closes a socket without requests under way at once, while others still wait', async () => {
  await using rig = await startRig({ limits: { requestMs: 2_000 } })
  await using busy = await connect(rig.url)
  await using idle = await connect(rig.url)
  const hanging = busy.request('t.hang')
  await expect.poll(() => rig.dispatcher.inFlight).toBe(1)

  const drained = rig.dispatcher.drain(10_000)
  expect(await within(idle.closed, 'the close of the idle socket', 1_000)).toMatchObject({ code: 4000 })
  expect(rig.dispatcher.inFlight).toBe(1)
  expect(await hanging).toMatchObject({ error: 'TIMEOUT' })
  await drained
})
