import { describe, expect } from 'vitest'
import { newcomer } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import { CONNECT_FOUR, seatTwo, startLive } from './support.ts'

const MAX_TURN_MS = 1_000
const test = rallyTest({ config: { matches: matchTimes({ maxTurnMs: MAX_TURN_MS }) } })

describe('in a turn-based match that stands still', () => {
  test('the seat to move loses', async ({ rally }) => {
    const { follower } = await seatTwo(rally, CONNECT_FOUR)
    const { startedAt } = await follower.live()
    const over = await follower.over()
    expect(over).toMatchObject({ status: 'finished', winnerSeat: 1, endReason: 'too-slow' })
    expect((over.finishedAt ?? 0) - (startedAt ?? 0)).toBeGreaterThanOrEqual(MAX_TURN_MS)
  })

  test('the other seat loses once the first has moved', async ({ rally }) => {
    const { first, follower, matchId } = await seatTwo(rally, CONNECT_FOUR)
    await follower.live()
    const frames = await first.client.subscribe<{ tick: number }>('live.onState', { matchId, rate: 60 })
    first.client.request('live.input', { matchId, seat: 0, input: { column: 3 } }).catch(() => undefined)
    await frames.events.next(({ data }) => data.tick === 1)
    expect(await follower.over()).toMatchObject({ status: 'finished', winnerSeat: 0, endReason: 'too-slow' })
  })

  test('nobody loses where one user has all seats', async ({ rally }) => {
    const { client } = await newcomer(rally)
    const follower = await startLive(client, { mode: 'local', ...CONNECT_FOUR })
    expect(await follower.over()).toMatchObject({ status: 'aborted', winnerSeat: null, endReason: 'too-long' })
  })
})
