import { expect } from 'vitest'
import { Act, AdminUser, UserDetails } from '../../src/modules/admin/types.ts'
import { listOf } from '../../src/modules/pages.ts'
import { newAdmin } from '../support/admins.ts'
import { connect, within } from '../support/client.ts'
import { type Newcomer, newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'
import { codeOf, redeem, register } from '../support/server.ts'

const Users = listOf(AdminUser)
const PONG = { game: 'pong', mode: 'casual', visibility: 'private' }

const LOCK_ACTS = `SELECT pg_advisory_xact_lock(hashtextextended('admin acts', 0))`
const WAITING = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
const WAITING_ACTS = `${WAITING} AND wait_event = 'advisory'`

const test = rallyTest()

test('users are listed page by page, by prefix, and by what they are', async ({ rally }) => {
  const chief = await newAdmin(rally)
  for (const name of ['zoe_a', 'zoe_b', 'zoe_c', 'zo']) if (name.length > 2) await register(rally.url, name)
  const list = async (data: object) => Users.parse(await chief.client.call('admin.users', data))
  const names = ({ items }: { items: readonly { username: string }[] }) => items.map(({ username }) => username)
  const first = await list({ prefix: 'ZOE_', limit: 2 })
  expect(names(first)).toEqual(['zoe_c', 'zoe_b'])
  const second = await list({ prefix: 'ZOE_', limit: 2, cursor: first.nextCursor })
  expect([names(second), second.nextCursor]).toEqual([['zoe_a'], undefined])
  expect(names(await list({ prefix: 'zoe%' }).catch(() => ({ items: [] })))).toEqual([])
  expect(names(await list({ only: 'admins' }))).toContain(chief.player.username)
  expect(names(await list({ only: 'banned', prefix: 'zoe' }))).toEqual([])
  const [zoe] = second.items
  await chief.client.call('admin.ban', { userId: zoe?.id, reason: 'bots' })
  expect((await list({ only: 'banned', prefix: 'zoe' })).items).toMatchObject([
    { username: 'zoe_a', ban: { reason: 'bots', until: null }, isOnline: false },
  ])
})

test('the details of a user have the sessions and the open matches', async ({ rally }) => {
  const [chief, player] = await Promise.all([newAdmin(rally), newcomer(rally)])
  const match = await player.client.call<{ id: string }>('matches.create', PONG)
  const { username } = player.player
  const details = UserDetails.parse(await chief.client.call('admin.user', { username }))
  expect(details).toMatchObject({ username, role: 'player', ban: null, matchIds: [match.id] })
  expect(details.sessions).toHaveLength(1)
})

test('a ban closes the sockets, gives up seats, and is told to whoever signs in again; its end lets them in', async ({
  rally,
}) => {
  const [chief, bad, good] = await Promise.all([newAdmin(rally), newcomer(rally), newcomer(rally)])
  const waiting = await bad.client.call<{ id: string }>('matches.create', PONG)
  const { code } = await bad.client.call<{ id: string; code: string }>('matches.create', PONG)
  const joined = await good.client.call<{ id: string }>('matches.join', { code })
  const events = await bad.client.subscribe('auth.onSession')
  const userId = bad.player.id
  await chief.client.call('admin.ban', { userId, reason: 'swears at people', until: Date.now() + 3_600_000 })
  const reason = expect.stringMatching(/^You are banned until .*: swears at people$/)
  expect(await within(bad.client.closed, 'the close')).toEqual({ code: 4503, reason })
  expect(await events.events.next()).toMatchObject({ data: { reason: 'banned', message: reason } })

  const seatsOf = async (matchId: string) =>
    (await good.client.call<{ status: string; players: { userId: string }[] }>('matches.getOne', { matchId })).players
  expect(await good.client.call('matches.getOne', { matchId: waiting.id })).toMatchObject({ status: 'aborted' })
  expect(await seatsOf(joined.id)).toMatchObject([{ userId: good.player.id }])

  await expect(connect(rally.url, { cookie: bad.player.cookie })).rejects.toThrow('closed with 4503')
  const signIn = async (steps: number) => {
    await using socket = await openSocket(rally)
    await socket.call('auth.begin', { username: bad.player.username })
    return await socket.request('auth.verify', { code: codeOf(bad.player.secret, steps) })
  }
  expect(await signIn(1)).toMatchObject({ error: 'BANNED', data: { message: reason } })
  await chief.client.call('admin.unban', { userId })
  const [recoveryCode] = bad.player.recoveryCodes
  await using back = await openSocket(rally)
  const { token } = await back.call<{ token: string }>('auth.recover', { username: bad.player.username, recoveryCode })
  await using again = await connect(rally.url, { cookie: await redeem(rally.url, token) })
  expect(again.welcome.user?.id).toBe(userId)
})

test('a reset takes everything that signs in, and gives one code that works once', async ({ rally }) => {
  const [chief, lost] = await Promise.all([newAdmin(rally), newcomer(rally)])
  const { id: userId, username, secret, recoveryCodes } = lost.player
  // Signed in with the old authenticator, but not come in yet.
  await using early = await openSocket(rally)
  await early.call('auth.begin', { username })
  const { token } = await early.call<{ token: string }>('auth.verify', { code: codeOf(secret, 1) })
  const { db } = rally.app.platform.database
  const passkey = { credentialId: Buffer.from(username), publicKey: Buffer.alloc(1), signCount: 0, transports: '' }
  await db.passkey.create({ data: { id: `of-${username}`, userId, name: 'key', backupEligible: false, ...passkey } })
  const answer = await chief.client.call<{ recoveryCode: string }>('admin.resetAuthenticator', { userId })
  expect(await within(lost.client.closed, 'the close')).toEqual({ code: 4501, reason: 'reset' })
  await expect(redeem(rally.url, token)).rejects.toThrow('401')
  expect(await db.passkey.count({ where: { userId } })).toBe(0)

  await using socket = await openSocket(rally)
  await socket.call('auth.begin', { username })
  expect(await socket.request('auth.verify', { code: codeOf(secret) })).toMatchObject({ error: 'INVALID_CODE' })
  const recover = (recoveryCode: string | undefined) => socket.request('auth.recover', { username, recoveryCode })
  expect(await recover(recoveryCodes[0])).toMatchObject({ error: 'INVALID_CODE' })
  const signedIn = await recover(answer.recoveryCode)
  expect(signedIn.error).toBeUndefined()
  expect(await recover(answer.recoveryCode)).toMatchObject({ error: 'INVALID_CODE' })
  await using back = await connect(rally.url, { cookie: await redeem(rally.url, `${signedIn.data.token}`) })
  // The user sees that it happened.
  expect(await back.call('auth.me')).toMatchObject({ authenticatorResetAt: expect.any(Number) })
  expect(await back.call('auth.rotateTotp', {})).toMatchObject({ status: 'candidate' })
  // The answer is kept encrypted, and the log has no secret.
  const kept = await db.write.findMany({ where: { type: 'admin.resetAuthenticator' } })
  const logged = await db.auditEntry.findMany({ where: { act: 'resetAuthenticator', userId } })
  expect([kept.length, logged.length]).toEqual([1, 1])
  expect(JSON.stringify([kept, logged])).not.toContain(answer.recoveryCode)
})

test('ended sessions close their sockets with 4501, and the user may sign in again', async ({ rally }) => {
  const [chief, player] = await Promise.all([newAdmin(rally), newcomer(rally)])
  const { id: userId, username, recoveryCodes } = player.player
  const recover = async (recoveryCode: string | undefined) => {
    await using socket = await openSocket(rally)
    return (await socket.call<{ token: string }>('auth.recover', { username, recoveryCode })).token
  }
  const early = await recover(recoveryCodes[0])
  expect(await chief.client.call('admin.endSessions', { userId })).toEqual({ ended: 1 })
  expect(await within(player.client.closed, 'the close')).toEqual({ code: 4501, reason: 'revoked' })
  // A ticket from before opens no session either.
  await expect(redeem(rally.url, early)).rejects.toThrow('401')
  await redeem(rally.url, await recover(recoveryCodes[1]))
})

test('a sign-in that ends while sessions are ended makes none that stays', async ({ rally, database: { db } }) => {
  const [chief, player] = await Promise.all([newAdmin(rally), newcomer(rally)])
  const { id: userId } = player.player
  let answered: Promise<unknown> | undefined
  await db.$transaction(async (tx) => {
    // As a ticket is redeemed.
    await tx.$queryRaw`SELECT id FROM users WHERE id = ${userId} FOR SHARE`
    const lasting = { lastSeenAt: new Date(), expiresAt: new Date(Date.now() + 60_000), ip: '', userAgent: '' }
    await tx.session.create({ data: { id: `late-${userId}`, userId, ...lasting } })
    answered = chief.client.call('admin.endSessions', { userId })
    await expect.poll(() => db.$queryRawUnsafe<unknown[]>(WAITING), { timeout: 4_000 }).toHaveLength(1)
  })
  expect(await answered).toEqual({ ended: 2 })
})

test('a new role reaches open pages, and whoever lost it can do nothing more', async ({ rally }) => {
  const [chief, deputy] = await Promise.all([newAdmin(rally), newcomer(rally)])
  const { id: userId } = deputy.player
  await chief.client.call('admin.setRole', { userId, role: 'admin' })
  expect(await within(deputy.client.closed, 'the close')).toMatchObject({ code: 4001 })
  await deputy.comeBack()
  await deputy.client.call('admin.users')
  await chief.client.call('admin.setRole', { userId, role: 'player' })
  expect(await within(deputy.client.closed, 'the close')).toMatchObject({ code: 4001 })
  await deputy.comeBack()
  expect(await deputy.client.request('admin.users')).toMatchObject({ error: 'FORBIDDEN' })
})

test('of two admins who ban each other at once, one stays', async ({ rally }) => {
  const [one, two] = await Promise.all([newAdmin(rally), newAdmin(rally)])
  const { db } = rally.app.platform.database
  const ban = ({ client }: Newcomer, { player }: Newcomer) =>
    client.send(
      JSON.stringify({ type: 'admin.ban', data: { userId: player.id, reason: 'a quarrel' }, eid: 'ban', ts: 0 }),
    )
  await db.$transaction(
    async (tx) => {
      await tx.$executeRawUnsafe(LOCK_ACTS)
      ban(one, two)
      ban(two, one)
      await expect.poll(() => db.$queryRawUnsafe<unknown[]>(WAITING_ACTS), { timeout: 10_000 }).toHaveLength(2)
    },
    { timeout: 20_000 },
  )
  // This waits behind both.
  await db.$transaction((tx) => tx.$executeRawUnsafe(LOCK_ACTS))
  const where = { id: { in: [one, two].map(({ player }) => player.id) } }
  expect(await db.user.count({ where: { ...where, bannedAt: null } })).toBe(1)
  expect(await db.auditEntry.count({ where: { act: 'ban', adminId: where.id } })).toBe(1)
})

test('a socket that was opened by an admin does nothing once the role is gone', async ({ rally, database: { db } }) => {
  const [former, player] = await Promise.all([newAdmin(rally), newcomer(rally)])
  // Without the time of the change, so that no node finds it.
  await db.user.update({ where: { id: former.player.id }, data: { role: 'player' } })
  const match = await player.client.call<{ id: string }>('matches.create', PONG)
  const { id: userId } = player.player
  const acts = {
    ban: { userId, reason: 'a quarrel' },
    unban: { userId },
    endSessions: { userId },
    resetAuthenticator: { userId },
    setRole: { userId, role: 'admin' },
    abort: { matchId: match.id, reason: 'a quarrel' },
  }
  expect(Object.keys(acts).toSorted()).toEqual(Act.options.toSorted())
  for (const [act, data] of Object.entries(acts)) {
    expect(await former.client.request(`admin.${act}`, data)).toMatchObject({ error: 'FORBIDDEN' })
  }
  expect(await db.auditEntry.count({ where: { adminId: former.player.id } })).toBe(0)
  expect(await db.user.findUnique({ where: { id: userId } })).toMatchObject({ role: 'player', bannedAt: null })
  expect(await player.client.call('matches.getOne', { matchId: match.id })).toMatchObject({ status: 'waiting' })
})

test('roles and authenticators of others are changed only within ten minutes of signing in', async ({
  rally,
  database: { db },
}) => {
  const [chief, player] = await Promise.all([newAdmin(rally), newcomer(rally)])
  const { id: userId } = player.player
  const createdAt = new Date(Date.now() - 11 * 60_000)
  await db.session.updateMany({ where: { userId: chief.player.id }, data: { createdAt } })
  const refused = { error: 'FORBIDDEN', data: { message: expect.stringContaining('older than ten minutes') } }
  expect(await chief.client.request('admin.setRole', { userId, role: 'admin' })).toMatchObject(refused)
  expect(await chief.client.request('admin.resetAuthenticator', { userId })).toMatchObject(refused)
  expect(await db.auditEntry.count({ where: { userId } })).toBe(0)
  // An act that gives nobody an account needs no new sign-in.
  await chief.client.call('admin.endSessions', { userId })
})

test('a banned user leaves a live match, which the opponent wins', async ({ rally }) => {
  const [chief, [bad, good]] = await Promise.all([newAdmin(rally), newcomers(rally, 2)])
  const { id, code } = await bad.client.call<{ id: string; code: string }>('matches.create', PONG)
  const updates = await good.client.subscribe('matches.onUpdate', { matchId: id })
  await good.client.call('matches.join', { code })
  await updates.events.next(({ data }) => data.status === 'live', 10_000)
  await chief.client.call('admin.ban', { userId: bad.player.id, reason: 'cheats' })
  const over = await updates.events.next(({ data }) => data.status === 'finished', 10_000)
  expect(over.data).toMatchObject({ winnerSeat: 1, endReason: 'forfeit' })
})
