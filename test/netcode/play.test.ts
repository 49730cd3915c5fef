import { describe, expect } from 'vitest'
import { play } from '../../src/client/play/index.ts'
import { connectFour } from '../../src/games/connect-four/index.ts'
import { winnerOf } from '../../src/games/game.ts'
import { pong } from '../../src/games/pong/index.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { within } from '../support/client.ts'
import { rallyTest } from '../support/rally-test.ts'
import { clientOf, createPong, next, patient, playPong, type RallyClient, untilStatus } from './players.ts'

const test = rallyTest({ config: patient }).extend(
  'clients',
  { scope: 'file' },
  ({ rally, ada, ben, cem }, { onCleanup }) => {
    const clients = [clientOf(rally.url, ada), clientOf(rally.url, ben), clientOf(rally.url, cem)] as const
    onCleanup(() => {
      for (const client of clients) client.close()
    })
    return clients
  },
)

function local(client: RallyClient, pointsToWin = 21): Promise<Match> {
  return client.matches.create({ game: 'pong', mode: 'local', options: { pointsToWin } })
}

describe('play', () => {
  test('finds its seats, both of them on one keyboard, and the server hears each', async ({ clients }) => {
    const match = await local(clients[0])
    await using both = playPong(clients[0], match)
    await untilStatus(both, 'live')
    expect(both.seats).toEqual([0, 1])
    // Which of the two is not said.
    expect(both.input({ move: 1 })).toBe(false)
    both.input({ move: -1 }, 0)
    both.input({ move: 1 }, 1)
    const { state } = await next(both, 'confirmed')
    const later = state.paddle0 < 300 ? state : (await next(both, 'confirmed')).state
    expect(later.paddle0).toBeLessThan(300)
    expect(later.paddle1).toBeGreaterThan(300)
  })

  test('a spectator sees the same and has no seat', async ({ clients }) => {
    const match = await createPong(clients[0], clients[1], 21)
    await using player = playPong(clients[0], match)
    await using watcher = playPong(clients[2], match)
    await Promise.all([player, watcher].map((one) => untilStatus(one, 'live')))
    expect(watcher.seats).toEqual([])
    expect(watcher.input({ move: 1 })).toBe(false)
    const [ofPlayer, ofWatcher] = await Promise.all([next(player, 'confirmed'), next(watcher, 'confirmed')])
    expect(ofWatcher).toEqual(ofPlayer)
    expect(watcher.figures.desyncs + player.figures.desyncs).toBe(0)
  })

  test('follows a match that is over already', async ({ clients }) => {
    const match = await clients[0].matches.create({ game: 'pong', mode: 'casual' })
    await clients[0].matches.leave({ matchId: match.id })
    await using late = playPong(clients[2], match)
    const end = await next(late, 'end')
    expect(end).toMatchObject({ status: 'aborted', outcome: null })
    expect(late.status).toBe('aborted')
    expect(late.state).not.toBeNull()
  })

  test('plays a game in turns against the server’s bot', async ({ clients }) => {
    const match = await clients[0].matches.create({ game: 'connect-four', mode: 'bot' })
    await using turns = play(clients[0], match.id, connectFour)
    const done = within(
      new Promise<string>((resolve) => turns.on('end', ({ status }) => resolve(status))),
      'end',
      60_000,
    )
    const tryAll = () => {
      if (turns.status !== 'live') return
      for (let column = 0; column < 7; column++) if (turns.input({ column: (column * 3) % 7 })) return
    }
    turns.on('confirmed', tryAll)
    turns.on('status', tryAll)
    expect(await done).toBe('finished')
    expect(turns.figures.desyncs).toBe(0)
    const { winnerSeat } = await clients[0].matches.getOne({ matchId: match.id })
    expect(turns.confirmed && winnerOf(connectFour.outcome(turns.confirmed.state)?.placements ?? [])).toBe(winnerSeat)
  }, 70_000)

  test('says why it cannot follow, and stops', async ({ clients }) => {
    const match = await local(clients[0])
    const wrong = play(clients[0], match.id, { ...pong, version: 99 })
    const error = await within(new Promise<{ code: string }>((resolve) => wrong.on('error', resolve)), 'error')
    expect(error.code).toBe('WRONG_GAME')
    expect(wrong.status).toBe('closed')
    const missing = play(clients[0], '00000000-0000-4000-8000-000000000000', pong)
    const notFound = await within(new Promise<{ code: string }>((resolve) => missing.on('error', resolve)), 'error')
    expect(notFound.code).toBe('NOT_FOUND')
  })

  test('ends with its signal, its scope, its stop() and its client', async ({ clients, rally, ben }) => {
    const match = await local(clients[1])
    const abort = new AbortController()
    const aborted = playPong(clients[1], match, { signal: abort.signal })
    await untilStatus(aborted, 'live')
    abort.abort()
    expect(aborted.status).toBe('closed')
    expect(playPong(clients[1], match, { signal: abort.signal }).status).toBe('closed')

    const stopped = playPong(clients[1], match)
    await untilStatus(stopped, 'live')
    stopped.stop()
    stopped.stop()
    expect(stopped.input({ move: 1 })).toBe(false)

    const client = clientOf(rally.url, ben)
    const closed = playPong(client, match)
    await untilStatus(closed, 'live')
    client.close()
    expect(closed.status).toBe('closed')
  })
})
