import { expect } from 'vitest'
import type { Match } from '../../src/modules/matches/types.ts'
import { decodeLiveFrame } from '../../src/protocol/live-frames.ts'
import { enterLive, follow, kindOf, quickStart, sendInput, whenLive } from '../live/live-client.ts'
import { rallyTest } from '../support/rally-test.ts'

const test = rallyTest({ config: quickStart })

test('a player cannot change an input that the opponent was told of', async ({ rally, ada, ben }) => {
  await using first = await enterLive(rally.url, ada)
  await using second = await enterLive(rally.url, ben)
  const match = await first.client.call<Match>('matches.create', { game: 'pong', mode: 'casual' })
  await second.client.call('matches.join', { matchId: match.id })
  const own = await follow(first, match.id)
  const others = await follow(second, match.id)
  const tick = await whenLive(rally, first, match.id)
  const change = async () => {
    const frame = decodeLiveFrame(await second.frames.next((bytes) => kindOf(bytes) === 'input'))
    if (frame?.kind !== 'input') throw new Error('no change')
    return { tick: others.changedAt.at(-1) ?? -1, seat: frame.seat, index: frame.index }
  }
  while (tick() < 10) await first.frames.next()
  for (let round = 0; round < 10; round++) {
    const named = tick()
    sendInput(first, own, named, 0, 1)
    const told = await change()
    expect(told).toMatchObject({ seat: 0, index: 1 })
    // The ball comes: the past would be better otherwise.
    sendInput(first, own, told.tick, 0, 2)
    const after = await change()
    expect(after).toMatchObject({ seat: 0, index: 2 })
    expect(after.tick).toBeGreaterThan(told.tick)
  }
  const log = rally.app.platform.engine.get(match.id)?.log ?? []
  expect(log.map(({ input }) => input)).toEqual(
    Array.from({ length: 20 }, (_, at) => ({ move: at % 2 === 0 ? -1 : 1 })),
  )
})
