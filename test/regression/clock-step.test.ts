import { expect, onTestFinished, test, vi } from 'vitest'
import { handshake, openTcp } from '../support/raw-tcp.ts'
import { startRig } from '../support/rig.ts'

test('setting the clock back by a minute neither keeps a dead socket open nor closes a living one', async () => {
  await using rig = await startRig({ config: { heartbeatMs: 200 } })
  const mute = await openTcp(rig.port)
  onTestFinished(() => void mute.destroy())
  mute.write(handshake())
  await expect.poll(() => rig.server.stats.open).toBe(1)
  const realNow = Date.now
  vi.spyOn(Date, 'now').mockImplementation(() => realNow() - 60_000)
  onTestFinished(() => void vi.restoreAllMocks())
  await expect.poll(() => rig.server.stats.closed.get(4009), { timeout: 5_000 }).toBe(1)
})
