import { describe, expect } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { statement } from '../../src/db/sql.ts'
import { matchService } from '../../src/modules/matches/index.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { inTransaction } from '../../src/modules/scope.ts'
import { tournamentService } from '../../src/modules/tournaments/service.ts'
import type { Pairing, Tournament } from '../../src/modules/tournaments/types.ts'
import { follow, playConnectFour } from '../matches/support.ts'
import { eventually } from '../support/eventually.ts'
import { type Newcomer, newcomers } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import { runJob } from '../support/run-job.ts'
import type { Rally } from '../support/server.ts'
import { doDueWork, giveUp, startTournament, type TournamentFollower } from './support.ts'

const test = rallyTest({
  config: {
    matches: matchTimes({ countdownMs: 50 }),
    tournaments: { noShowMs: 60_000, countdownMs: 50, maxActive: 100 },
  },
})

const BAN = statement('test.ban', 'UPDATE users SET banned_at = now() WHERE id = $1')
const LATE = statement('test.late', 'UPDATE tournament_pairings SET come_by = now() WHERE tournament_id = $1')
const LONG_UP = statement('test.longUp', `UPDATE nodes SET started_at = now() - interval '1 day'`)
const OLD = statement(
  'test.old',
  `UPDATE tournaments SET created_at = created_at - interval '8 days', finished_at = finished_at - interval '91 days' WHERE id = $1`,
)

/** The player of a seed. */
const of = (players: readonly Newcomer[], { entrants }: Tournament, seed: number | null | undefined) => {
  const userId = entrants.find((entrant) => entrant.seed === seed)?.userId
  const player = players.find((each) => each.player.id === userId)
  if (!player) throw new Error(`no player has the seed ${seed}`)
  return player
}

/** The players of a tournament who do not come are cut off before their match is made. */
async function stayAway(away: readonly Newcomer[], { db }: Database): Promise<void> {
  await Promise.all(away.map((each) => each.drop()))
  const userIds = away.map(({ player }) => player.id)
  const connected = { where: { userId: { in: userIds } } }
  await eventually(
    () => db.presence.count(connected),
    (count) => count === 0,
  )
}

/** Ends the time that players have to come. */
async function beLate(rally: Rally, { sql }: Database, { latest }: TournamentFollower): Promise<void> {
  await sql.rows(LATE, [latest.id])
  await doDueWork(rally)
}

/** Has the server make the matches that are ready, and one player of each give up. */
async function playRound(
  rally: Rally,
  players: readonly Newcomer[],
  follower: TournamentFollower,
  loser: (pairing: Pairing) => number | null,
) {
  const ready = follower.latest.pairings.filter(({ status }) => status === 'ready' || status === 'playing')
  await doDueWork(rally)
  for (const { round, slot } of ready) {
    const pairing = await follower.pairing(round, slot, 'playing')
    await giveUp(of(players, follower.latest, loser(pairing)), pairing.matchId)
    await follower.pairing(round, slot, 'decided')
  }
}

describe('a tournament', () => {
  test('asks players to come, counts their results, and has a winner', async ({ rally }) => {
    const players = await newcomers(rally, 5)
    const follower = await startTournament(players, { options: { first: 0 } })
    expect(follower.latest.pairings.filter(({ decidedBy }) => decidedBy === 'bye').map(({ winner }) => winner)).toEqual(
      [1, 2, 3],
    )

    const fifth = of(players, follower.latest, 5)
    const invites = await fifth.client.subscribe<unknown, { invites: unknown[] }>('matches.onInvite')
    await doDueWork(rally)
    const pairing = await follower.pairing(1, 1, 'playing')
    expect(pairing).toMatchObject({ seeds: [4, 5], matches: 1 })
    expect(pairing.comeBy).toBeGreaterThan(Date.now())
    const asked = await invites.events.next()
    expect(asked.data.invites).toMatchObject([{ matchId: pairing.matchId, reason: 'tournament', from: null }])
    const match = await fifth.client.call<Match>('matches.getOne', { matchId: pairing.matchId })
    expect(match).toMatchObject({ mode: 'casual', visibility: 'public', options: { first: 0 } })

    // Played on the board: the first seed of the pairing has seat 0 and wins.
    await (await follow(fifth.client, match.id)).live()
    await playConnectFour([of(players, follower.latest, 4).client, fifth.client], match.id)
    expect(await follower.pairing(1, 1, 'decided')).toMatchObject({ winner: 4, decidedBy: 'result' })

    for (const round of [2, 3]) {
      await playRound(rally, players, follower, ({ seeds }) => Math.max(...seeds.map((seed) => seed ?? 0)))
      expect(
        follower.latest.pairings.filter((each) => each.round === round).every(({ status }) => status === 'decided'),
      ).toBe(true)
    }
    const { status, winner, standings } = await follower.until((tournament) => tournament.status === 'finished')
    expect(status).toBe('finished')
    expect(winner).toMatchObject({ seed: 1, userId: players[0].player.id })
    expect(standings.map(({ seed, place }) => [seed, place])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 3],
      [5, 5],
    ])
  })

  test('seeds its players by their ratings in its game, and is part of what a user can export', async ({
    rally,
    database: { db, sql },
  }) => {
    const players = await newcomers(rally, 4)
    const rated = { deviation: 80, volatility: 0.06, played: 9, won: 4, standing: 1, ratedAt: new Date() }
    const [, second, , last] = players
    await db.rating.createMany({
      data: [
        { ...rated, userId: second.player.id, game: 'connect-four', rating: 1400 },
        { ...rated, userId: last.player.id, game: 'connect-four', rating: 1900 },
        { ...rated, userId: players[0].player.id, game: 'pong', rating: 2500 },
      ],
    })
    const { latest } = await startTournament(players)
    expect(latest.entrants.map(({ userId }) => players.findIndex(({ player }) => player.id === userId))).toEqual([
      3, 1, 0, 2,
    ])
    const kept = await rally.app.platform.use(tournamentService).exportOf(last.player.id, sql)
    expect(kept).toMatchObject([{ id: latest.id, isOwner: false, takesPart: true, seed: 1 }])
    await players[0].client.call('tournaments.cancel', { tournamentId: latest.id })
  })

  test('of everybody against everybody has a table', async ({ rally }) => {
    const players = await newcomers(rally, 3)
    const follower = await startTournament(players, { format: 'round-robin' })
    for (let round = 1; round <= 3; round++) {
      await playRound(rally, players, follower, ({ seeds }) => Math.min(...seeds.map((seed) => seed ?? 0)))
    }
    const { winner, standings } = await follower.until(({ status }) => status === 'finished')
    expect(winner?.seed).toBe(3)
    expect(standings.map(({ seed, place, won, points }) => [seed, place, won, points])).toEqual([
      [3, 1, 2, 4],
      [2, 2, 1, 2],
      [1, 3, 0, 0],
    ])
  })

  test('lets players who do not come forfeit, and goes on where nobody came', async ({ rally, database }) => {
    const players = await newcomers(rally, 4)
    const follower = await startTournament(players)
    // 1 meets 4, and 2 meets 3.
    await stayAway(players.slice(1), database)
    await doDueWork(rally)
    await follower.pairing(1, 1, 'playing')
    await doDueWork(rally)
    expect(follower.latest.pairings.filter(({ status }) => status === 'playing').length).toBe(2)
    await beLate(rally, database, follower)
    // Who could not come because no server was up is given the time again.
    expect(follower.latest.pairings.filter(({ status }) => status === 'playing').length).toBe(2)
    await database.sql.rows(LONG_UP)
    await doDueWork(rally)
    const { pairings, winner, standings } = await follower.until(({ status }) => status === 'finished')
    expect(pairings.map((each) => [each.winner, each.decidedBy])).toEqual([
      [1, 'forfeit'],
      [null, 'forfeit'],
      [1, 'bye'],
    ])
    expect(winner?.seed).toBe(1)
    expect(standings.map(({ seed, place }) => [seed, place])).toEqual([
      [1, 1],
      [2, 3],
      [3, 3],
      [4, 3],
    ])
    const matches = await Promise.all(
      pairings.slice(0, 2).map(({ matchId }) => players[0].client.call<Match>('matches.getOne', { matchId })),
    )
    expect(matches.map(({ status, endReason }) => [status, endReason])).toEqual([
      ['aborted', 'no-show'],
      ['aborted', 'no-show'],
    ])
  })

  test('makes a match again that ended without a result, and then takes the better seed', async ({ rally }) => {
    const players = await newcomers(rally, 4)
    const follower = await startTournament(players)
    const { platform } = rally.app
    let last: string | null = null
    for (let matches = 1; matches <= 3; matches++) {
      await doDueWork(rally)
      const pairing = await follower.pairing(1, 0, 'playing')
      expect(pairing.matches).toBe(matches)
      expect(pairing.matchId).not.toBe(last)
      const { matchId } = pairing
      if (matchId === null) throw new Error('the pairing has no match')
      await inTransaction(platform, (scope) => platform.use(matchService).abort(scope, matchId, 'stopped'))
      last = matchId
      await follower.pairing(1, 0, matches < 3 ? 'ready' : 'decided')
    }
    expect(follower.latest.pairings[0]).toMatchObject({ winner: 1, decidedBy: 'seed', matches: 3 })
    await players[1].client.call('tournaments.leave', { tournamentId: follower.latest.id })
  })

  test('goes on without a player who leaves, in a match or between two', async ({ rally }) => {
    const players = await newcomers(rally, 4)
    const follower = await startTournament(players)
    const tournamentId = follower.latest.id
    await doDueWork(rally)
    const pairing = await follower.pairing(1, 0, 'playing')
    await follower.pairing(1, 1, 'playing')
    await (await follow(players[3].client, pairing.matchId ?? '')).live()
    await players[0].client.call('tournaments.leave', { tournamentId })
    expect(await follower.pairing(1, 0, 'decided')).toMatchObject({ winner: 4, decidedBy: 'result' })
    // The winner leaves before the final, which the other semifinal decides.
    await players[3].client.call('tournaments.leave', { tournamentId })
    const other = await follower.pairing(1, 1, 'playing')
    await giveUp(players[2], other.matchId)
    const { winner, entrants } = await follower.until(({ status }) => status === 'finished')
    expect(winner?.userId).toBe(players[1].player.id)
    expect(entrants.filter(({ withdrawn }) => withdrawn).map(({ seed }) => seed)).toEqual([1, 4])
  })

  test('goes on without players who are banned or whose account is gone, its owner too', async ({
    rally,
    database: { db, sql },
  }) => {
    const players = await newcomers(rally, 5)
    const follower = await startTournament(players)
    await sql.rows(BAN, [players[3].player.id])
    await db.user.delete({ where: { id: players[0].player.id } })
    await doDueWork(rally)
    expect(await follower.pairing(1, 1, 'decided')).toMatchObject({ seeds: [4, 5], winner: 5, decidedBy: 'forfeit' })
    await doDueWork(rally)
    await doDueWork(rally)
    const watcher = await players[1].client.call<Tournament>('tournaments.getOne', { tournamentId: follower.latest.id })
    expect(watcher).toMatchObject({ owner: null, status: 'running' })
    expect(watcher.entrants[0]).toMatchObject({ userId: null, displayName: 'Deleted player', withdrawn: true })
    expect(watcher.pairings.find(({ round, slot }) => round === 2 && slot === 0)).toMatchObject({
      seeds: [1, 5],
      winner: 5,
    })
  })

  test('has no second match of a player who plays in another one', async ({ rally }) => {
    const players = await newcomers(rally, 4)
    const one = await startTournament(players)
    const other = await startTournament(players)
    await doDueWork(rally)
    await one.pairing(1, 0, 'playing')
    await doDueWork(rally)
    expect(other.latest.pairings.map(({ status }) => status)).toEqual(['ready', 'ready', 'pending'])
    await players[0].client.call('tournaments.cancel', { tournamentId: one.latest.id })
    await doDueWork(rally)
    await other.pairing(1, 0, 'playing')
    await players[0].client.call('tournaments.cancel', { tournamentId: other.latest.id })
  })
})

describe('a tournament that nobody starts', () => {
  test('is cancelled after a week, or when its owner is gone, and deleted later', async ({
    rally,
    database: { db, sql },
  }) => {
    const [watcher, ...owners] = await newcomers(rally, 3)
    const made = await Promise.all(
      owners.map(({ client }) =>
        client.call<Tournament>('tournaments.create', {
          name: 'Left alone',
          game: 'pong',
          size: 4,
          format: 'single-elimination',
        }),
      ),
    )
    const [late = '', orphan = ''] = made.map(({ id }) => id)
    await sql.rows(OLD, [late])
    await db.user.delete({ where: { id: owners[1]?.player.id ?? '' } })
    await doDueWork(rally)
    const read = (tournamentId: string) => watcher.client.request<Tournament>('tournaments.getOne', { tournamentId })
    expect((await read(late)).data).toMatchObject({ status: 'cancelled', endReason: 'not-started' })
    expect((await read(orphan)).data).toMatchObject({ status: 'cancelled', endReason: 'owner-gone' })
    await runJob(rally, 'tournaments.deleteOld')
    expect((await read(late)).error).toBeUndefined()
    await sql.rows(OLD, [late])
    await runJob(rally, 'tournaments.deleteOld')
    expect((await read(late)).error).toBe('NOT_FOUND')
  })
})
