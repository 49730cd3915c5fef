import { expect } from 'vitest'
import type { Tournament } from '../../src/modules/tournaments/types.ts'
import { newcomers } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import { createTournament } from '../tournaments/support.ts'

// The place of an account that was deleted before the start stayed: the next player who joined was lost, and the tournament
// ended without a winner.

const test = rallyTest({
  config: {
    matches: matchTimes({ countdownMs: 50 }),
    tournaments: { noShowMs: 60_000, countdownMs: 50, maxActive: 10 },
  },
})

test('accounts that are deleted before the start leave no trace in a tournament', async ({
  rally,
  database: { db },
}) => {
  const [ada, ben, cem, dee, eve] = await newcomers(rally, 5)
  const { id: tournamentId } = await createTournament(ada.client, { format: 'round-robin' })
  const join = ({ client }: typeof ada) => client.call<Tournament>('tournaments.join', { tournamentId })
  for (const player of [ada, ben, cem]) await join(player)
  await db.user.delete({ where: { id: cem.player.id } })
  expect((await join(dee)).entrants.map(({ userId }) => userId)).toEqual([ada, ben, dee].map(({ player }) => player.id))
  await join(eve)

  await db.user.delete({ where: { id: ben.player.id } })
  const started = await ada.client.call<Tournament>('tournaments.start', { tournamentId })
  expect(started.entrants.map(({ seed }) => seed)).toEqual([1, 2, 3])
  expect(started.standings).toHaveLength(3)
  for (const { client } of [ada, eve]) await client.call('tournaments.leave', { tournamentId })
  const { status, winner } = await dee.client.call<Tournament>('tournaments.getOne', { tournamentId })
  expect({ status, winner: winner?.userId }).toEqual({ status: 'finished', winner: dee.player.id })
})
