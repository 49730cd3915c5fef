import { expect } from 'vitest'
import type { Match } from '../../src/modules/matches/types.ts'
import { defaultLimits } from '../../src/protocol/index.ts'
import { quickStart } from '../live/live-client.ts'
import { connect, type TestClient } from '../support/client.ts'
import { rallyTest } from '../support/rally-test.ts'
import { enter } from '../support/server.ts'

const test = rallyTest({ config: quickStart, limits: { anonymousReads: 1_000 } })
const RATES = [1, 5, 10, 15, 20, 30, 60]
const { streamFramesPerSecond } = defaultLimits

function createPong(client: TestClient): Promise<Match> {
  return client.call<Match>('matches.create', { game: 'pong', mode: 'local', options: { pointsToWin: 21 } })
}

test('64 sockets of one address get as many frames of a match as eight', async ({ rally }) => {
  const { client: ada } = await enter(rally.url, 'flood_ada')
  await using player = ada
  const match = await createPong(player)
  const sockets = await Promise.all(Array.from({ length: 64 }, () => connect(rally.url)))
  const perSecond = await Promise.all(
    sockets.map(async (socket) => {
      let last = 0
      for (const rate of RATES) {
        let error: string | undefined
        // There are few places for anonymous reads.
        do ({ error } = await socket.request('live.onState', { matchId: match.id, rate }))
        while (error === 'UNAVAILABLE')
        if (error === undefined) last = rate
        else expect(error).toBe('RATE_LIMITED')
      }
      return last
    }),
  )
  const granted = perSecond.reduce((sum, rate) => sum + rate, 0)
  expect(granted).toBeLessThanOrEqual(8 * streamFramesPerSecond)
  expect(granted).toBeGreaterThan(8 * streamFramesPerSecond - 60)
  // Others can still watch, and so can these when some of them have left.
  const { client: ben } = await enter(rally.url, 'flood_ben')
  await using other = ben
  await other.subscribe('live.onState', { matchId: match.id, rate: 60 })
  await Promise.all(sockets.slice(0, 32).map((socket) => socket.close()))
  const last = sockets[63]
  await expect
    .poll(async () => (await last?.request('live.onState', { matchId: match.id, rate: 60 }))?.error, { timeout: 5_000 })
    .toBeUndefined()
  await Promise.all(sockets.slice(32).map((socket) => socket.close()))
})

test('a socket watches as many matches as its budget of frames allows', async ({ rally }) => {
  const { client: ada } = await enter(rally.url, 'budget_ada')
  await using player = ada
  const [first, second, third] = [await createPong(player), await createPong(player), await createPong(player)]
  await using watcher = await connect(rally.url)
  const open = (match: Match, rate: number) => watcher.subscribe('live.onState', { matchId: match.id, rate })
  const { channel } = await open(first, 60)
  await open(second, 60)
  await expect(open(third, 1)).rejects.toThrow('RATE_LIMITED')
  // The same rate again, a lower one, and none.
  await open(second, 60)
  await open(second, 30)
  await open(third, 30)
  await expect(open(second, 60)).rejects.toThrow('RATE_LIMITED')
  await watcher.call('rpc.unsubscribe', { channel })
  await open(second, 60)
  // Mode inputs is cheap, and does not count.
  await watcher.subscribe('live.onState', { matchId: first.id, mode: 'inputs' })
})
