import { expect } from 'vitest'
import type { Match } from '../../src/modules/matches/types.ts'
import { enterLive, quickStart, whenLive } from '../live/live-client.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { rallyTest } from '../support/rally-test.ts'
import { clientOf, createPong, next, playPong, untilStatus } from './players.ts'

/** Without a match it takes 22 s and 30 s at the least to notice. */
const SOON_MS = 10_000

const test = rallyTest({ config: quickStart })

test('a client notices a dead line while a match is live, and plays on over a new one', async ({ rally, ada, ben }) => {
  await using proxy = await startFaultProxy(rally.app.port)
  const [first, second] = [clientOf(proxy.url, ada), clientOf(rally.url, ben)]
  const match = await createPong(first, second, 21)
  await using play = playPong(first, match)
  await untilStatus(play, 'live')
  await next(play, 'confirmed')
  proxy.halfOpen()
  await untilStatus(play, 'connecting', SOON_MS)
  await untilStatus(play, 'live', SOON_MS)
  await next(play, 'confirmed')
  expect(play.figures.desyncs).toBe(0)
  await second.matches.leave({ matchId: match.id })
  for (const client of [first, second]) client.close()
}, 40_000)

test('the server notices a player whose line is dead, and says so', async ({ rally, ada, ben }) => {
  await using proxy = await startFaultProxy(rally.app.port)
  await using first = await enterLive(rally.url, ada)
  await using second = await enterLive(proxy.url, ben)
  const match = await first.client.call<Match>('matches.create', { game: 'pong', mode: 'casual' })
  await second.client.call('matches.join', { matchId: match.id })
  await whenLive(rally, first, match.id)
  const { events } = await first.client.subscribe<Match>('matches.onUpdate', { matchId: match.id })
  proxy.halfOpen()
  const isAway = (match: Match) => match.players[1]?.connected === false
  const away = await events.next(({ data }) => isAway(data), SOON_MS)
  expect(away.data.status).toBe('live')
  // A line that works is kept, however little is said on it.
  expect((await first.client.request('rpc.ping')).error).toBeUndefined()
  await first.client.call('matches.leave', { matchId: match.id })
}, 40_000)
