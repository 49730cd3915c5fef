import { expect } from 'vitest'
import { matchService } from '../../src/modules/matches/index.ts'
import { type Invite, Invites } from '../../src/modules/matches/types.ts'
import { inTransaction } from '../../src/modules/scope.ts'
import { type Newcomer, newcomers } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'

const test = rallyTest()

async function invitesOf({ client }: Newcomer) {
  const stream = await client.subscribe<unknown, unknown>('matches.onInvite', {})
  if (!('snapshot' in stream.opening)) throw new Error('invites have a snapshot')
  let { seq } = stream.opening
  return {
    opened: Invites.parse(stream.opening.snapshot).invites,
    async next(): Promise<Invite[]> {
      const event = await stream.events.next()
      expect(event.seq).toBe(seq + 1)
      seq++
      return Invites.parse(event.data).invites
    },
  }
}

test('players are seated by the server, asked to come, and hooks hear of the end in its transaction', async ({
  rally,
}) => {
  const [ada, ben] = await newcomers(rally, 2)
  const matches = rally.app.platform.use(matchService)
  const aborted: (string | null)[] = []
  matches.hooks.onAborted(async (_scope, { origin }) => void aborted.push(origin))
  const stream = await invitesOf(ben)
  const userIds = [ada.player.id, ben.player.id]
  const match = await inTransaction(rally.app.platform, async (scope) => {
    const seated = await matches.seatPlayers(scope, {
      game: 'pong',
      mode: 'ranked',
      visibility: 'public',
      userIds,
      origin: 'tournament:1',
    })
    if (!seated.match) throw new Error('nobody is banned')
    const expiresAt = new Date(Date.now() + 60_000)
    const { id: matchId } = seated.match
    await matches.invites.ask(scope, { matchId, userId: ben.player.id, from: null, reason: 'tournament', expiresAt })
    return seated.match
  })
  expect(match.players.map(({ userId, connected }) => [userId, connected])).toEqual(userIds.map((id) => [id, true]))
  expect(await stream.next()).toMatchObject([{ matchId: match.id, reason: 'tournament', from: null }])
  await ada.client.call('matches.leave', { matchId: match.id })
  expect(aborted).toEqual([])
  await ben.client.call('matches.leave', { matchId: match.id })
  expect(aborted).toEqual(['tournament:1'])
  expect(await stream.next()).toEqual([])
})
