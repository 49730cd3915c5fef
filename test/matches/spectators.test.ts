import { expect } from 'vitest'
import type { Match } from '../../src/modules/matches/types.ts'
import { newcomer, openSocket } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import { CONNECT_FOUR, create, Follower, follow, playConnectFour } from './support.ts'

const test = rallyTest({ config: { matches: matchTimes() } })

const DELAY_MS = 2_500
const DELAYED = { ...CONNECT_FOUR, options: { ...CONNECT_FOUR.options, spectatorDelayMs: DELAY_MS } } as const

interface Page {
  readonly items: readonly Match[]
}

test('no read of a match shows spectators its score or its end before their delay is over', async ({ rally }) => {
  const [first, second] = [await newcomer(rally), await newcomer(rally)]
  await using spectator = await openSocket(rally)
  const { client: stranger } = await newcomer(rally)
  const { id: matchId, code } = await create(first.client, DELAYED)
  const lobby = await spectator.subscribe<{ matches: Match[] }>('matches.onLobby', { game: 'connect-four' })
  await second.client.call('matches.join', { matchId })
  const stream = await spectator.subscribe<unknown>('matches.onUpdate', { matchId })
  expect(stream.channel).toBe(`matches.onUpdate/${matchId}/delayed`)
  const followed = new Follower(stream)
  const own = await follow(first.client, matchId)
  const begun = await followed.live()
  expect(begun).toEqual(await own.live())
  await second.drop()
  expect((await own.until(({ players }) => players[1]?.connected === false)).returnBy).toBeDefined()
  expect(await spectator.call('matches.getOne', { matchId })).toEqual(begun)
  await second.comeBack()

  await playConnectFour([first.client, second.client], matchId)
  const over = await own.over()
  const overAt = performance.now()
  expect(over).toMatchObject({ winnerSeat: 0, players: [{ score: 1 }, { score: 0 }] })
  // A rematch changes nothing about that.
  await second.client.call('matches.rematch', { matchId })
  const offered = await own.until(({ rematchId }) => rematchId !== null)

  const seen: Match[] = []
  const look = async (client: typeof spectator) => {
    seen.push(await client.call<Match>('matches.getOne', { matchId }))
    seen.push(await client.call<Match>('matches.getOne', { code }))
    seen.push((await follow(client, matchId)).latest)
    const list = (data: object) => client.call<Page>('matches.list', { game: 'connect-four', ...data })
    for (const data of [{}, { status: 'live' }]) {
      seen.push(...(await list(data)).items.filter(({ id }) => id === matchId))
    }
    expect((await list({ status: 'finished' })).items.map(({ id }) => id)).not.toContain(matchId)
  }
  await using late = await openSocket(rally)
  await look(late)
  await look(stranger)
  const page = await stranger.call<Page>('matches.history', { username: first.player.username })
  expect(page.items).toEqual([])
  expect((await stranger.request('live.getReplay', { matchId })).error).toBe('NOT_FINISHED')
  expect(await stranger.request('matches.join', { matchId })).toMatchObject({ error: 'MATCH_FULL' })
  const openings = await stranger.subscribe<{ matches: Match[] }>('matches.onLobby', { game: 'connect-four' })
  const told = [openings.opening, ...lobby.events.drain().map(({ data }) => ({ snapshot: data }))]
  for (const opening of told) {
    if (!('snapshot' in opening)) throw new Error('a lobby has a snapshot')
    const shown = opening.snapshot.matches.find(({ id }) => id === matchId)
    if (shown && shown.status !== 'waiting') seen.push(shown)
  }
  expect(performance.now() - overAt).toBeLessThan(DELAY_MS)
  expect(seen.length).toBeGreaterThanOrEqual(11)
  for (const match of seen) expect(match).toEqual(begun)
  // Players see it.
  expect(await second.client.call('matches.getOne', { matchId })).toEqual(offered)
  expect((await first.client.call<Page>('matches.history')).items).toEqual([offered])

  // The stream ends when the end may be seen, without an event before.
  const end = await stream.events.next(undefined, DELAY_MS + 2_000)
  expect(end).toMatchObject({ error: 'STREAM_CLOSED', data: { reason: 'behind' } })
  expect(performance.now() - overAt).toBeGreaterThan(DELAY_MS - 500)
  expect(await spectator.call('matches.getOne', { matchId })).toEqual(offered)
  expect((await follow(spectator, matchId)).latest).toEqual(offered)
  const known = await stranger.call<Page>('matches.history', { username: first.player.username })
  expect(known.items).toEqual([offered])
  expect((await spectator.call<Page>('matches.list', { status: 'finished' })).items).toEqual([offered])
}, 30_000)

test('a user who takes a seat follows as a player, and one who gives it up as a spectator', async ({ rally }) => {
  const [host, guest] = [await newcomer(rally), await newcomer(rally)]
  const { id: matchId } = await create(host.client, DELAYED)
  const open = () => guest.client.subscribe<Match>('matches.onUpdate', { matchId })
  const before = await open()
  await guest.client.call('matches.join', { matchId })
  expect(await before.events.next(({ error }) => error !== undefined)).toMatchObject({ data: { reason: 'behind' } })
  const seated = await open()
  expect(seated.channel).toBe(`matches.onUpdate/${matchId}`)
  await guest.client.call('matches.leave', { matchId })
  expect(await seated.events.next(({ error }) => error !== undefined)).toMatchObject({ data: { reason: 'behind' } })
  expect((await open()).channel).toBe(before.channel)
})

test('an end before the start is shown at once', async ({ rally }) => {
  const host = await newcomer(rally)
  await using spectator = await openSocket(rally)
  const match = await create(host.client, DELAYED)
  const follower = await follow(spectator, match.id)
  await host.client.call('matches.leave', { matchId: match.id })
  expect(await follower.over(DELAY_MS - 500)).toMatchObject({ status: 'aborted', endReason: 'left' })
})
