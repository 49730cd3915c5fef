import { expect } from 'vitest'
import { CONNECT_FOUR, create, follow, playConnectFour } from '../matches/support.ts'
import { connect } from '../support/client.ts'
import { newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'
import { runJob } from '../support/run-job.ts'
import { PNG } from './pictures.ts'

const test = rallyTest({ config: { matches: matchTimes() } })

test('a removed account is gone with all that belongs to it, and matches of others stay', async ({
  rally,
  database,
}) => {
  const [leaver, other] = await newcomers(rally, 2)
  const { db } = database
  const { id: userId, username } = leaver.player
  await leaver.client.call('users.updateProfile', { displayName: 'Leaver', avatar: PNG.toString('base64') })
  const played = await create(leaver.client, CONNECT_FOUR)
  const follower = await follow(other.client, played.id)
  await other.client.call('matches.join', { matchId: played.id })
  await follower.live()
  await playConnectFour([leaver.client, other.client], played.id)
  await follower.over()
  const waiting = await create(leaver.client)
  const live = await create(leaver.client)
  const lost = await follow(other.client, live.id)
  await other.client.call('matches.join', { matchId: live.id })
  await lost.live()
  await leaver.client.call('storage.put', { key: 'save', value: { level: 3 } })
  await leaver.client.call('scores.submit', { gameMode: 'classic', score: 12 })
  await leaver.client.call('rooms.create', { name: 'mine', kind: 'chat' })
  await leaver.client.call('tournaments.create', { name: 'mine', game: 'pong', size: 4, format: 'single-elimination' })
  await leaver.client.call('matches.enqueue', { game: 'pong' })
  await leaver.client.call('auth.createToken', { name: 'program', scopes: ['read'] })
  const tab = await openSocket(rally, leaver.player)

  expect(await leaver.client.call('users.remove')).toEqual({})
  expect((await tab.closed).code).toBe(4501)
  expect((await leaver.client.closed).code).toBe(4501)
  const back = await openSocket(rally, leaver.player)
  expect(back.welcome.user).toBeNull()

  // The live match was given up, and the waiting one ended with its only player.
  expect(await lost.over()).toMatchObject({ status: 'finished', winnerSeat: 1, endReason: 'forfeit' })
  expect(await other.client.call('matches.getOne', { matchId: waiting.id })).toMatchObject({ status: 'aborted' })
  const seen = await other.client.call<{ players: object[] }>('matches.getOne', { matchId: played.id })
  expect(seen).toMatchObject({ status: 'finished', winnerSeat: 0 })
  expect(seen.players[0]).toMatchObject({ userId: null, username: null, displayName: 'Deleted player' })
  await other.client.call('live.getReplay', { matchId: played.id })
  await expect(other.client.call('users.getOne', { username })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect((await fetch(`${rally.url}/avatars/${username}`)).headers.get('content-type')).toBe('image/svg+xml')

  // No column of any table has the id, but for that of who opened a match.
  const columns = await db.$queryRaw<{ table: string; column: string }[]>`
    SELECT table_name AS "table", column_name AS "column" FROM information_schema.columns
    WHERE table_schema = 'public' AND data_type = 'text'`
  const holding: string[] = []
  for (const { table, column } of columns) {
    const rows = await db.$queryRawUnsafe<unknown[]>(`SELECT 1 FROM "${table}" WHERE "${column}" = $1 LIMIT 1`, userId)
    if (rows.length > 0) holding.push(`${table}.${column}`)
  }
  expect(columns.length).toBeGreaterThan(50)
  expect(holding).toEqual(['matches.created_by'])
})

test('the name of a removed account is free again after a while', async ({ rally, database }) => {
  const { player, client } = await newcomer(rally)
  await client.call('users.remove')
  const { username } = player
  await using stranger = await connect(rally.url)
  await expect(stranger.call('auth.begin', { username })).rejects.toMatchObject({ code: 'USERNAME_TAKEN' })
  await database.db.reservedName.update({ where: { username }, data: { until: new Date(Date.now() - 1) } })
  expect(await stranger.call('auth.begin', { username })).toMatchObject({ status: 'candidate' })
  await runJob(rally, 'users.forgetOld')
  expect(await database.db.reservedName.count({ where: { username } })).toBe(0)
})

test('a write that comes before its socket is closed is refused', async ({ rally, database }) => {
  const { player, client } = await newcomer(rally)
  // As another node does it, whose message is still on its way.
  await database.db.user.delete({ where: { id: player.id } })
  await expect(client.call('users.updateProfile', { bio: 'still here' })).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  })
})

test('only the user removes the account, shortly after signing in, and no admin does', async ({ rally, database }) => {
  const { player, client } = await newcomer(rally)
  const { db } = database
  await using nobody = await connect(rally.url)
  await expect(nobody.call('users.remove')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  await db.session.updateMany({ where: { userId: player.id }, data: { createdAt: new Date(Date.now() - 11 * 60_000) } })
  await expect(client.call('users.remove')).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await db.session.updateMany({ where: { userId: player.id }, data: { createdAt: new Date() } })
  await db.user.update({ where: { id: player.id }, data: { role: 'admin' } })
  await expect(client.call('users.remove')).rejects.toMatchObject({ code: 'FORBIDDEN' })
  expect(await client.call('users.getOne', { username: player.username })).toMatchObject({ id: player.id })
})
