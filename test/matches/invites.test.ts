import { expect } from 'vitest'
import { matchService } from '../../src/modules/matches/index.ts'
import { type Invite, Invites, type Match } from '../../src/modules/matches/types.ts'
import { inTransaction } from '../../src/modules/scope.ts'
import { Newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import { runJob } from '../support/run-job.ts'
import { create } from './support.ts'

const test = rallyTest({ config: { matches: matchTimes({ maxActive: 3 }) } })

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
      origin: 'elsewhere',
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
  expect(aborted).toEqual(['elsewhere'])
  expect(await stream.next()).toEqual([])
})

const invite = ({ client }: Newcomer, matchId: string, { player }: Newcomer) =>
  client.call<Invite>('matches.invite', { matchId, username: player.username })

test('a player invites somebody by name, who accepts', async ({ rally }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const stream = await invitesOf(ben)
  const match = await create(ada.client, { visibility: 'private' })
  const sent = await invite(ada, match.id, ben)
  expect(sent).toMatchObject({ matchId: match.id, game: 'pong', mode: 'casual', reason: 'invite' })
  expect(await stream.next()).toEqual([sent])
  expect(sent.from).toMatchObject({ userId: ada.player.id, username: ada.player.username })
  const another = new Newcomer(rally, ben.player, await openSocket(rally, ben.player))
  expect((await invitesOf(another)).opened).toEqual([sent])
  const joined = await ben.client.call<Match>('matches.acceptInvite', { inviteId: sent.id })
  expect(joined.players.map(({ userId }) => userId)).toEqual([ada.player.id, ben.player.id])
  expect(await stream.next()).toEqual([])
  await expect(ben.client.call('matches.acceptInvite', { inviteId: sent.id })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
})

test('an invite is gone once its user has come another way, or the match is over', async ({ rally }) => {
  const [ada, ben, cem] = await newcomers(rally, 3)
  const streams = [await invitesOf(ben), await invitesOf(cem)]
  const match = await create(ada.client)
  for (const [index, guest] of [ben, cem].entries()) {
    await invite(ada, match.id, guest)
    expect(await streams[index]?.next()).toHaveLength(1)
  }
  await ben.client.call('matches.join', { matchId: match.id })
  expect(await streams[0]?.next()).toEqual([])
  await ada.client.call('matches.leave', { matchId: match.id })
  await ben.client.call('matches.leave', { matchId: match.id })
  expect(await streams[1]?.next()).toEqual([])
})

test('an invite that was declined is gone, and cannot be repeated', async ({ rally }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const match = await create(ada.client)
  const { id: inviteId } = await invite(ada, match.id, ben)
  await expect(ada.client.call('matches.declineInvite', { inviteId })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  const stream = await invitesOf(ben)
  await ben.client.call('matches.declineInvite', { inviteId })
  expect(await stream.next()).toEqual([])
  await expect(ben.client.call('matches.declineInvite', { inviteId })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(ben.client.call('matches.acceptInvite', { inviteId })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(invite(ada, match.id, ben)).rejects.toMatchObject({ code: 'INVITE_DECLINED' })
})

test('a decline counts for other matches of the sender too, after the match is over, and ends', async ({
  rally,
  database,
}) => {
  const [ada, ben, cem] = await newcomers(rally, 3)
  const declined = await create(ada.client)
  const { id: inviteId } = await invite(ada, declined.id, ben)
  await ben.client.call('matches.declineInvite', { inviteId })
  const { id } = await create(ada.client)
  await expect(invite(ada, id, ben)).rejects.toMatchObject({ code: 'INVITE_DECLINED' })
  await ada.client.call('matches.leave', { matchId: declined.id })
  await runJob(rally, 'matches.expireInvites')
  await expect(invite(ada, id, ben)).rejects.toMatchObject({ code: 'INVITE_DECLINED' })
  await invite(ada, id, cem)
  await invite(cem, (await create(cem.client)).id, ben)
  const past = new Date(Date.now() - 300_000)
  await database.db.matchInvite.update({ where: { id: inviteId }, data: { declinedAt: past, expiresAt: past } })
  await invite(ada, id, ben)
  await runJob(rally, 'matches.expireInvites')
  expect(await database.db.matchInvite.count({ where: { id: inviteId } })).toBe(0)
})

test('one sender has at most three open invites to a user, also at once, and others can still invite', async ({
  rally,
  database,
}) => {
  const [ada, ben, cem] = await newcomers(rally, 3)
  const matches = await Promise.all([1, 2, 3].map(() => create(ada.client)))
  const { id: userId } = ben.player
  const expiresAt = new Date(Date.now() + 60_000)
  const { id: matchId } = await create(cem.client)
  // As if ada had come to that match too.
  await database.db.matchInvite.create({
    data: { id: 'fourth', matchId, userId, fromId: ada.player.id, reason: 'invite', expiresAt },
  })
  const sent = await Promise.allSettled(matches.map(({ id }) => invite(ada, id, ben)))
  const refused = sent.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
  expect(refused).toMatchObject([{ code: 'TOO_MANY_INVITES' }])
  await invite(cem, (await create(cem.client)).id, ben)
})

test('an invite expires', async ({ rally, database }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const { id: inviteId } = await invite(ada, (await create(ada.client)).id, ben)
  const stream = await invitesOf(ben)
  await database.db.matchInvite.update({ where: { id: inviteId }, data: { expiresAt: new Date(Date.now() - 1) } })
  await expect(ben.client.call('matches.acceptInvite', { inviteId })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await runJob(rally, 'matches.expireInvites')
  expect(await stream.next()).toEqual([])
  expect(await database.db.matchInvite.count({ where: { id: inviteId } })).toBe(0)
})

test('an invite is refused where it makes no sense', async ({ rally, database }) => {
  const [ada, ben, cem] = await newcomers(rally, 3)
  const match = await create(ada.client)
  const refused = (by: Newcomer, matchId: string, guest: Newcomer, code: string) =>
    expect(invite(by, matchId, guest), code).rejects.toMatchObject({ code })
  await refused(ben, match.id, cem, 'FORBIDDEN')
  await refused(ada, 'no-match', cem, 'NOT_FOUND')
  await expect(ada.client.call('matches.invite', { matchId: match.id, username: 'nobody' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
  await refused(ada, match.id, ada, 'ALREADY_SEATED')
  const { id: userId } = cem.player
  const expiresAt = new Date(Date.now() + 60_000)
  for (let count = 0; count < 20; count++) {
    const { id: matchId } = await database.db.match.create({
      data: {
        id: `full-${count}`,
        game: 'pong',
        mode: 'casual',
        code: `F${count}`,
        options: {},
        seed: 1,
        rulesVersion: 1,
        createdBy: userId,
      },
    })
    await database.db.matchInvite.create({ data: { id: `i${count}`, matchId, userId, reason: 'invite', expiresAt } })
  }
  await refused(ada, match.id, cem, 'TOO_MANY_INVITES')
  await database.db.matchInvite.deleteMany({ where: { userId } })
  await ben.client.call('matches.join', { matchId: match.id })
  await refused(ada, match.id, cem, 'MATCH_FULL')
  await ada.client.call('matches.leave', { matchId: match.id })
  await ben.client.call('matches.leave', { matchId: match.id })
  await refused(ben, match.id, cem, 'MATCH_CLOSED')
})

test('an invite to a match that has filled up meanwhile cannot be accepted', async ({ rally }) => {
  const [ada, ben, cem] = await newcomers(rally, 3)
  const match = await create(ada.client)
  const { id: inviteId } = await invite(ada, match.id, ben)
  await cem.client.call('matches.join', { matchId: match.id })
  await expect(ben.client.call('matches.acceptInvite', { inviteId })).rejects.toMatchObject({ code: 'MATCH_FULL' })
})

test('an invite cannot be accepted by somebody with too many matches, and stays open', async ({ rally }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const { id: inviteId } = await invite(ada, (await create(ada.client)).id, ben)
  for (let count = 0; count < 3; count++) await create(ben.client)
  const accept = ben.client.call('matches.acceptInvite', { inviteId })
  await expect(accept).rejects.toMatchObject({ code: 'TOO_MANY_MATCHES' })
  expect((await invitesOf(ben)).opened).toMatchObject([{ id: inviteId }])
})
