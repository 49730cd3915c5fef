import { expect } from 'vitest'
import { decodeLiveFrame } from '../../src/protocol/live-frames.ts'
import { createLocal, enterLive, follow, kindOf, quickStart, sendInput, whenLive } from '../live/live-client.ts'
import { rallyTest } from '../support/rally-test.ts'

const test = rallyTest({ config: quickStart })

test('an input that is seconds late counts from its arrival, and is not planned for later', async ({ rally, ada }) => {
  await using live = await enterLive(rally.url, ada)
  const match = await createLocal(live, 'pong', { pointsToWin: 21 })
  const mirror = await follow(live, match.id)
  const tick = await whenLive(rally, live, match.id)
  while (tick() < 270) await live.frames.next()
  let index = 0
  for (const lateBy of [127, 128, 129, 200, 255, 256]) {
    index = index === 1 ? 2 : 1
    const now = tick()
    sendInput(live, mirror, now - lateBy, 0, index)
    const frame = decodeLiveFrame(await live.frames.next((bytes) => kindOf(bytes) === 'input'))
    const counted = mirror.changedAt.at(-1) ?? -1
    expect(frame, `${lateBy} late`).toMatchObject({ index, moved: Math.min(255, counted - now + lateBy) })
    expect(counted).toBeGreaterThanOrEqual(now)
    expect(counted).toBeLessThanOrEqual(tick())
    // It was told on arrival: a planned input is told when it is due.
    expect(counted - now).toBeLessThan(30)
  }
  await live.client.call('matches.leave', { matchId: match.id })
}, 30_000)
