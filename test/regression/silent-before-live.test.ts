import { expect, test } from 'vitest'
import { connect } from '../support/client.ts'
import { startRig } from '../support/rig.ts'

test('a socket that was silent before its match went live is pinged before it is closed', async () => {
  let isLive = false
  await using rig = await startRig({ server: { isPlaying: () => isLive } })
  await using player = await connect(rig.url, { cookie: await rig.cookieOf('ada') })
  let pings = 0
  player.socket.on('ping', () => pings++)
  await new Promise((resolve) => setTimeout(resolve, 4_000))
  expect(pings).toBe(0)
  isLive = true
  await expect.poll(() => pings, { timeout: 5_000 }).toBeGreaterThan(1)
  expect(await player.call('rpc.ping')).toEqual({})
})
