import { describe, expect } from 'vitest'
import { newcomer } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import { CONNECT_FOUR, create, follow, playConnectFour, seatTwo, startLive } from './support.ts'

const test = rallyTest({ config: { matches: matchTimes() } })

describe('a match of two players', () => {
  test('is created, joined, counted down, played and won, with one event for each step', async ({
    rally,
    database,
  }) => {
    const { first, second, follower, matchId } = await seatTwo(rally, CONNECT_FOUR)
    expect(follower.seen[0]).toMatchObject({ status: 'waiting', version: 1, startsAt: null, winnerSeat: null })
    expect(follower.seen[0]?.players).toMatchObject([{ seat: 0, userId: first.player.id, connected: true, score: 0 }])

    const counting = await follower.until(({ startsAt }) => startsAt !== null)
    expect(counting.players).toMatchObject([
      { seat: 0, username: first.player.username },
      { seat: 1, username: second.player.username, connected: true },
    ])
    expect(counting.status).toBe('waiting')
    const live = await follower.live()
    expect(live.startedAt ?? 0).toBeGreaterThanOrEqual(counting.startsAt ?? Number.POSITIVE_INFINITY)

    await playConnectFour([first.client, second.client], matchId)
    const over = await follower.over()
    // It is committed before it is announced.
    const row = await database.db.match.findUniqueOrThrow({ where: { id: matchId }, include: { seats: true } })
    expect(row).toMatchObject({ status: 'finished', winnerSeat: 0, version: over.version, ticks: 7, endReason: null })
    expect(row.inputs).not.toBeNull()
    expect(row.finalState).toMatchObject({ winner: 0, discs: 7 })
    expect(over).toMatchObject({ status: 'finished', winnerSeat: 0, endReason: null })
    expect(over.players.map(({ score }) => score)).toEqual(row.seats.map(({ score }) => score))
    expect(over.finishedAt ?? 0).toBeGreaterThanOrEqual(live.startedAt ?? Number.POSITIVE_INFINITY)
    expect(follower.seen.filter(({ status }) => status === 'live')).toHaveLength(1)
  })

  test('tells its scores when it ends', async ({ rally }) => {
    const { client } = await newcomer(rally)
    const follower = await startLive(client, { mode: 'bot', options: { pointsToWin: 1 } })
    const over = await follower.over(15_000)
    expect(over).toMatchObject({ status: 'finished', endReason: null })
    // The bot may fail to return a ball, too.
    expect(over.players.map(({ score }) => score)).toEqual(over.winnerSeat === 1 ? [0, 1] : [1, 0])
  })

  test('may be joined again by its players, before and after its start', async ({ rally }) => {
    const { first, second, follower, matchId } = await seatTwo(rally)
    const again = await second.client.call('matches.join', { matchId })
    expect(again).toMatchObject({ id: matchId, status: 'waiting' })
    const { code } = await follower.live()
    expect(await first.client.call('matches.join', { code: code.toLowerCase() })).toMatchObject({ status: 'live' })
    const stranger = await newcomer(rally)
    expect((await stranger.client.request('matches.join', { code })).error).toBe('MATCH_FULL')
    await first.client.call('matches.leave', { matchId })
    await follower.over()
    expect((await stranger.client.request('matches.join', { code })).error).toBe('MATCH_CLOSED')
    expect((await stranger.client.request('matches.join', { code: '222222' })).error).toBe('NOT_FOUND')
  })

  test('does not begin before all players are connected', async ({ rally }) => {
    const { first, second, follower } = await seatTwo(rally)
    await follower.until(({ startsAt }) => startsAt !== null)
    await second.drop()
    const calledOff = await follower.until(({ players }) => players[1]?.connected === false)
    expect(calledOff).toMatchObject({ status: 'waiting', startsAt: null })
    await second.comeBack()
    const anew = await follower.until(({ startsAt }) => startsAt !== null)
    expect(anew.players[1]?.connected).toBe(true)
    await follower.live()
    expect(follower.seen.filter(({ status }) => status === 'live')).toHaveLength(1)
    await first.client.call('matches.leave', { matchId: anew.id })
  })

  test('does not begin when a player joins while the other is away', async ({ rally }) => {
    const [host, guest] = [await newcomer(rally), await newcomer(rally)]
    const match = await create(host.client)
    const follower = await follow(guest.client, match.id)
    await host.drop()
    await follower.until(({ players }) => players[0]?.connected === false)
    const joined = await guest.client.call('matches.join', { matchId: match.id })
    expect(joined).toMatchObject({ status: 'waiting', startsAt: null, players: [{ connected: false }, {}] })
    await host.comeBack()
    await follower.live()
    await host.client.call('matches.leave', { matchId: match.id })
  })

  test('goes on through a reload', async ({ rally }) => {
    const { first, follower, matchId } = await seatTwo(rally)
    await follower.live()
    for (let reload = 0; reload < 5; reload++) {
      // The page opens its new socket while the server hears of the old one's end.
      const closed = first.drop()
      await first.comeBack()
      await closed
    }
    const mine = await follow(first.client, matchId)
    await mine.until((match) => match.players.every(({ connected }) => connected))
    // All writes before this one are over once it is seen.
    await first.client.call('matches.leave', { matchId })
    const over = await follower.over()
    expect(over).toMatchObject({ status: 'finished', winnerSeat: 1, endReason: 'forfeit' })
    expect(over.players.every(({ connected }) => connected)).toBe(true)
  })
})

describe('a player who drops from a live match', () => {
  test('loses when not back in time', async ({ rally }) => {
    const { first, follower } = await seatTwo(rally)
    const { returnBy: before } = await follower.live()
    expect(before).toBeUndefined()
    const droppedAt = Date.now()
    await first.drop()
    const alone = await follower.until(({ players }) => players[0]?.connected === false)
    expect(alone.status).toBe('live')
    const { returnBy = 0 } = alone
    expect(returnBy).toBeGreaterThanOrEqual(droppedAt + rally.config.matches.comeBackMs)
    expect(returnBy).toBeLessThanOrEqual(Date.now() + rally.config.matches.comeBackMs)
    const over = await follower.over()
    expect(over).toMatchObject({ status: 'finished', winnerSeat: 1, endReason: 'forfeit' })
    expect(over.returnBy).toBeUndefined()
    expect(over.finishedAt).toBeGreaterThanOrEqual(returnBy)
  })

  test('plays on when back in time', async ({ rally }) => {
    const { first, second, follower, matchId } = await seatTwo(rally, CONNECT_FOUR)
    await follower.live()
    await first.drop()
    await follower.until(({ players }) => players[0]?.connected === false)
    await first.comeBack()
    const back = await follower.until(({ players }) => players[0]?.connected === true)
    expect(back.returnBy).toBeUndefined()
    await playConnectFour([first.client, second.client], matchId)
    expect(await follower.over()).toMatchObject({ status: 'finished', winnerSeat: 0, endReason: null })
  })

  test('does not lose when the opponent drops too and neither comes back', async ({ rally }) => {
    const { first, second, follower } = await seatTwo(rally)
    await follower.live()
    await Promise.all([first.drop(), second.drop()])
    expect(await follower.over()).toMatchObject({ status: 'aborted', winnerSeat: null, endReason: 'left' })
  })

  test('wins by coming back when the opponent drops too and does not', async ({ rally }) => {
    const { first, second, follower } = await seatTwo(rally)
    await follower.live()
    await first.drop()
    const one = await follower.until(({ players }) => players[0]?.connected === false)
    await second.drop()
    const both = await follower.until(({ players }) => players[1]?.connected === false)
    expect(both.returnBy).toBeGreaterThan(one.returnBy ?? Number.POSITIVE_INFINITY)
    await second.comeBack()
    expect(await follower.until(({ players }) => players[1]?.connected === true)).toMatchObject({
      returnBy: one.returnBy,
    })
    expect(await follower.over()).toMatchObject({ status: 'finished', winnerSeat: 1, endReason: 'forfeit' })
  })

  test('loses to the bot', async ({ rally }) => {
    const player = await newcomer(rally)
    const { client: watcher } = await newcomer(rally)
    const match = await create(player.client, { mode: 'bot' })
    const follower = await follow(watcher, match.id)
    await follower.live()
    await player.drop()
    expect(await follower.over()).toMatchObject({ status: 'finished', winnerSeat: 1, endReason: 'forfeit' })
  })
})

describe('leaving', () => {
  test('a waiting match frees the seat, and ends the match with its last player', async ({ rally }) => {
    const [first, second, third] = [await newcomer(rally), await newcomer(rally), await newcomer(rally)]
    const match = await create(first.client)
    const follower = await follow(third.client, match.id)
    const by = { matchId: match.id }
    await second.client.call('matches.join', by)
    await first.client.call('matches.leave', by)
    const left = await follower.until(({ players }) => players[0]?.seat === 1)
    expect(left).toMatchObject({ status: 'waiting', startsAt: null })
    expect((await first.client.request('matches.leave', by)).error).toBe('NOT_FOUND')
    await third.client.call('matches.join', by)
    const refilled = await follower.until(({ players }) => players.length === 2)
    expect(refilled.players.map(({ userId }) => userId)).toEqual([third.player.id, second.player.id])
    await third.client.call('matches.leave', by)
    const answer = await second.client.call('matches.leave', by)
    expect(answer).toMatchObject({ status: 'aborted', endReason: 'left' })
    expect(await follower.over()).toEqual(answer)
    expect(await second.client.call('matches.leave', by)).toEqual(answer)
  })

  test('a live one is a defeat', async ({ rally }) => {
    const { first, follower, matchId } = await seatTwo(rally)
    await follower.live()
    expect(await first.client.call('matches.leave', { matchId })).toMatchObject({ status: 'live' })
    expect(await follower.over()).toMatchObject({ status: 'finished', winnerSeat: 1, endReason: 'forfeit' })
  })

  test.for([
    ['bot', { status: 'finished', winnerSeat: 1, endReason: 'forfeit' }],
    ['local', { status: 'aborted', winnerSeat: null, endReason: 'left' }],
  ] as const)('a live one in mode %s ends it', async ([mode, ending], { rally }) => {
    const { client } = await newcomer(rally)
    const follower = await startLive(client, { mode })
    const match = follower.latest
    await client.call('matches.leave', { matchId: match.id })
    expect(await follower.over()).toMatchObject(ending)
  })

  test.for(['bot', 'local'])('one in mode %s before it begins ends it', async (mode, { rally }) => {
    const { client } = await newcomer(rally)
    const match = await create(client, { mode })
    expect(match.startsAt).not.toBeNull()
    const answer = await client.call('matches.leave', { matchId: match.id })
    expect(answer).toMatchObject({ status: 'aborted', endReason: 'left' })
  })
})

test('two play on one keyboard', async ({ rally }) => {
  const { client } = await newcomer(rally)
  const follower = await startLive(client, { mode: 'local', ...CONNECT_FOUR })
  const match = follower.latest
  await playConnectFour([client], match.id)
  expect(await follower.over()).toMatchObject({ status: 'finished', winnerSeat: 0 })
})

test('a match is created as requested, or not at all', async ({ rally }) => {
  const { client } = await newcomer(rally)
  const bad = await client.request('matches.create', { game: 'pong', mode: 'bot', options: { pointsToWin: 99 } })
  expect(bad).toMatchObject({ error: 'VALIDATION_FAILED', data: { issues: [{ path: 'options.pointsToWin' }] } })
  for (const data of [{ game: 'pong', mode: 'ranked' }, { game: 'pong' }]) {
    expect((await client.request('matches.create', data)).error).toBe('VALIDATION_FAILED')
  }
  for (const game of ['chess', 'toString', '']) {
    for (const type of ['matches.create', 'matches.list', 'matches.onLobby']) {
      const answer = await client.request(type, { game, ...(type === 'matches.create' ? { mode: 'bot' } : {}) })
      expect(answer, type).toMatchObject({ error: 'VALIDATION_FAILED', data: { issues: [{ path: 'game' }] } })
    }
  }
  const match = await create(client, { options: { pointsToWin: 3 } })
  expect(match).toMatchObject({ game: 'pong', mode: 'casual', visibility: 'public', options: { pointsToWin: 3 } })
  expect(match.joinUrl).toBe(`${rally.config.publicUrl}/join/${match.code}`)
  expect(await client.call('matches.getOne', { matchId: match.id })).toEqual(match)
})
