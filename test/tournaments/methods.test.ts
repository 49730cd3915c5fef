import { describe, expect } from 'vitest'
import { Tournament, type TournamentSummary } from '../../src/modules/tournaments/types.ts'
import { type Newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import { createTournament, followTournament } from './support.ts'

const test = rallyTest({
  config: { matches: matchTimes(), tournaments: { noShowMs: 60_000, countdownMs: 50, maxActive: 3 } },
}).extend('players', { scope: 'file' }, ({ rally }) => newcomers(rally, 5))

const errorOf = async ({ client }: Pick<Newcomer, 'client'>, type: string, data: object) =>
  (await client.request(`tournaments.${type}`, data)).error

const join = ({ client }: Newcomer, tournamentId: string) =>
  client.call<Tournament>('tournaments.join', { tournamentId }).then((answer) => Tournament.parse(answer))

const GONE = { tournamentId: 'none' }

describe('tournaments.create', () => {
  test('opens a tournament of the caller, with the options of its game', async ({ rally }) => {
    const [owner] = await newcomers(rally, 1)
    const options = { pointsToWin: 1 }
    const created = await createTournament(owner.client, { name: '  Friday Pong ', game: 'pong', size: 4, options })
    expect(created).toMatchObject({
      name: 'Friday Pong',
      game: 'pong',
      format: 'single-elimination',
      size: 4,
      status: 'open',
      owner: { userId: owner.player.id, username: owner.player.username },
      entrantCount: 0,
      entrants: [],
      pairings: [],
      standings: [],
      version: 1,
    })
    expect(created.options).toMatchObject(options)
    expect(await owner.client.call('tournaments.getOne', { tournamentId: created.id })).toEqual(created)
  })

  test('refuses unknown games, options, sizes and names', async ({ players: [owner] }) => {
    const cup = { name: 'The Cup', game: 'pong', size: 8, format: 'single-elimination' }
    const wrong = [
      { game: 'chess' },
      { options: { pointsToWin: 0 } },
      // The bracket would tell spectators the result before they see it.
      { options: { spectatorDelayMs: 5_000 } },
      { size: 3 },
      { size: 65 },
      { size: 17, format: 'round-robin' },
      { size: 2, format: 'round-robin' },
      { format: 'swiss' },
      { name: 'a' },
      { name: 'two\nlines' },
    ]
    for (const each of wrong) expect(await errorOf(owner, 'create', { ...cup, ...each })).toBe('VALIDATION_FAILED')
  })

  test('is bounded for a user', async ({ rally }) => {
    const [owner] = await newcomers(rally, 1)
    const made = [1, 2, 3].map(() => createTournament(owner.client))
    const [first] = await Promise.all(made)
    const cup = { name: 'The Cup', game: 'pong', size: 8, format: 'single-elimination' }
    expect(await errorOf(owner, 'create', cup)).toBe('TOO_MANY_TOURNAMENTS')
    await owner.client.call('tournaments.cancel', { tournamentId: first?.id })
    await createTournament(owner.client)
  })

  test('and all that changes something are for users', async ({ rally }) => {
    const stranger = { client: await openSocket(rally) }
    const cup = { name: 'The Cup', game: 'pong', size: 8, format: 'single-elimination' }
    expect(await errorOf(stranger, 'create', cup)).toBe('UNAUTHENTICATED')
    for (const type of ['join', 'leave', 'start', 'cancel']) {
      expect(await errorOf(stranger, type, GONE), type).toBe('UNAUTHENTICATED')
    }
  })
})

test('a tournament that is not there is NOT_FOUND', async ({ players: [player] }) => {
  for (const type of ['join', 'leave', 'start', 'cancel', 'getOne', 'onUpdate']) {
    expect(await errorOf(player, type, GONE), type).toBe('NOT_FOUND')
  }
})

describe('tournaments.join', () => {
  test('takes part once, up to the size, until the start', async ({ players }) => {
    const [owner, ...others] = players
    const { id } = await createTournament(owner.client, { size: 4 })
    const follower = await followTournament(owner.client, id)
    for (const player of others) await join(player, id)
    expect((await join(others[0], id)).entrantCount).toBe(4)
    expect(await errorOf(owner, 'join', { tournamentId: id })).toBe('TOURNAMENT_FULL')
    const { entrants } = await follower.until(({ entrantCount }) => entrantCount === 4)
    expect(entrants.map(({ userId, seed }) => [userId, seed])).toEqual(others.map(({ player }) => [player.id, null]))
    await owner.client.call('tournaments.start', { tournamentId: id })
    await others[0].client.call('tournaments.leave', { tournamentId: id })
    expect(await errorOf(owner, 'join', { tournamentId: id })).toBe('TOURNAMENT_CLOSED')
    await owner.client.call('tournaments.cancel', { tournamentId: id })
  })

  test('is bounded for a user', async ({ players: [owner, second], rally }) => {
    const [player] = await newcomers(rally, 1)
    const made = await Promise.all(
      [owner, second].flatMap(({ client }) => [createTournament(client), createTournament(client)]),
    )
    for (const { id } of made.slice(0, 3)) await join(player, id)
    expect(await errorOf(player, 'join', { tournamentId: made[3]?.id ?? '' })).toBe('TOO_MANY_TOURNAMENTS')
    await player.client.call('tournaments.leave', { tournamentId: made[0]?.id })
    await join(player, made[3]?.id ?? '')
    for (const { id, owner: by } of made) {
      const { client } = by?.userId === owner.player.id ? owner : second
      await client.call('tournaments.cancel', { tournamentId: id })
    }
  })

  test('gives the last place to one of many', async ({ players, rally }) => {
    const [owner] = players
    const { id } = await createTournament(owner.client, { size: 4 })
    const racers = await newcomers(rally, 8)
    const answers = await Promise.all(
      racers.map(({ client }) => client.request('tournaments.join', { tournamentId: id })),
    )
    expect(answers.filter(({ error }) => error === undefined).length).toBe(4)
    expect(answers.filter(({ error }) => error === 'TOURNAMENT_FULL').length).toBe(4)
    await owner.client.call('tournaments.cancel', { tournamentId: id })
  })
})

describe('tournaments.leave', () => {
  test('gives up a place before the start', async ({ players: [owner, second] }) => {
    const { id } = await createTournament(owner.client)
    await join(second, id)
    const left = await second.client.call('tournaments.leave', { tournamentId: id })
    expect(left).toMatchObject({ entrantCount: 0, entrants: [] })
    expect(await errorOf(second, 'leave', { tournamentId: id })).toBe('NOT_FOUND')
    await join(second, id)
    await owner.client.call('tournaments.cancel', { tournamentId: id })
    expect(await errorOf(second, 'leave', { tournamentId: id })).toBe('TOURNAMENT_CLOSED')
  })
})

describe('tournaments.start', () => {
  test('is for its owner, once, with enough players', async ({ players }) => {
    const [owner, ...others] = players
    const { id } = await createTournament(owner.client)
    for (const player of others.slice(0, 3)) await join(player, id)
    expect(await errorOf(others[0], 'start', { tournamentId: id })).toBe('FORBIDDEN')
    expect(await errorOf(owner, 'start', { tournamentId: id })).toBe('TOO_FEW_PLAYERS')
    await join(others[3], id)
    const started = await owner.client.call<Tournament>('tournaments.start', { tournamentId: id })
    expect(started.status).toBe('running')
    expect(started.entrants.map(({ seed }) => seed)).toEqual([1, 2, 3, 4])
    expect(started.pairings.map(({ seeds, status }) => [...seeds, status])).toEqual([
      [1, 4, 'ready'],
      [2, 3, 'ready'],
      [null, null, 'pending'],
    ])
    expect(await errorOf(owner, 'start', { tournamentId: id })).toBe('TOURNAMENT_CLOSED')
    await owner.client.call('tournaments.cancel', { tournamentId: id })
  })
})

describe('tournaments.cancel', () => {
  test('is for its owner, until it is over', async ({ players: [owner, second] }) => {
    const { id } = await createTournament(owner.client)
    expect(await errorOf(second, 'cancel', { tournamentId: id })).toBe('FORBIDDEN')
    const cancelled = await owner.client.call<Tournament>('tournaments.cancel', { tournamentId: id })
    expect(cancelled).toMatchObject({ status: 'cancelled', endReason: 'owner', version: 2 })
    expect(cancelled.finishedAt).not.toBeNull()
    expect(await errorOf(owner, 'cancel', { tournamentId: id })).toBe('TOURNAMENT_CLOSED')
    expect(await errorOf(second, 'join', { tournamentId: id })).toBe('TOURNAMENT_CLOSED')
  })
})

describe('tournaments.list', () => {
  test('is paged, the newest first, by status, and of a user', async ({ players: [owner, second], rally }) => {
    const made = [
      await createTournament(owner.client),
      await createTournament(owner.client),
      await createTournament(second.client),
    ]
    await join(second, made[0]?.id ?? '')
    const list = (data: object, client = owner.client) =>
      client.call<{ items: TournamentSummary[]; nextCursor?: string }>('tournaments.list', data)
    const ids = ({ items }: { items: TournamentSummary[] }) => items.map(({ id }) => id)
    const newest = made.map(({ id }) => id).toReversed()

    const first = await list({ limit: 2, status: 'open' })
    expect(ids(first)).toEqual(newest.slice(0, 2))
    expect(ids(await list({ limit: 1, status: 'open', cursor: first.nextCursor }))).toEqual(newest.slice(2))
    expect(ids(await list({ mine: true }, second.client))).toEqual([made[2]?.id, made[0]?.id])
    const stranger = await openSocket(rally)
    expect(ids(await list({ limit: 3 }, stranger))).toEqual(newest)
    expect((await stranger.request('tournaments.list', { mine: true })).error).toBe('UNAUTHENTICATED')
    await owner.client.call('tournaments.cancel', { tournamentId: made[1]?.id })
    expect(ids(await list({ limit: 1, status: 'cancelled' }))).toEqual([made[1]?.id])
    expect((await list({ status: 'open', limit: 1, mine: true })).items[0]?.entrantCount).toBe(1)
  })
})
