import { describe, expect } from 'vitest'
import type { TokenInfo } from '../../src/modules/auth/types.ts'
import { newAdmin } from '../support/admins.ts'
import { connectToBeClosed, refusal, within } from '../support/client.ts'
import { createTestDatabase } from '../support/database.ts'
import { newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { makeToken, openProgram } from '../support/programs.ts'
import { rallyTest } from '../support/rally-test.ts'
import { runJob } from '../support/run-job.ts'
import { codeOf, startRally } from '../support/server.ts'

const DAY_MS = 24 * 60 * 60_000
const REVOKED = { code: 4501, reason: 'revoked' }

const test = rallyTest()

const listOf = async (client: { call<T>(type: string): Promise<T> }) =>
  (await client.call<{ items: TokenInfo[] }>('auth.tokens')).items

describe('a token ends', () => {
  test('when its user revokes it, with the sockets that it has opened', async ({ rally }) => {
    const [ada, ben] = await newcomers(rally, 2)
    const [made, other] = [await makeToken(ada.client, ['read']), await makeToken(ada.client, ['read'])]
    const [program, stays] = [await openProgram(rally, made), await openProgram(rally, other)]
    const revoke = (client: typeof program) => client.request('auth.revokeToken', { tokenId: made.tokenId })
    await using nobody = await openSocket(rally)
    expect(await revoke(nobody)).toMatchObject({ error: 'UNAUTHENTICATED' })
    expect(await revoke(ben.client)).toMatchObject({ error: 'NOT_FOUND' })
    expect((await revoke(ada.client)).error).toBeUndefined()
    expect(await within(program.closed, 'the close', 1_000)).toEqual(REVOKED)
    expect(await refusal(rally.url, { headers: { 'X-API-Key': made.token } })).toMatchObject({ status: 401 })
    expect(await revoke(ada.client)).toMatchObject({ error: 'NOT_FOUND' })
    expect((await listOf(ada.client)).map(({ id }) => id)).toEqual([other.tokenId])
    await stays.call('auth.me')
    await ada.client.call('auth.me')
  })

  test('when its time is over; its row goes a day later', async ({ rally, database: { db } }) => {
    const { client } = await newcomer(rally)
    const { tokenId: id, ...made } = await makeToken(client, ['read'])
    const program = await openProgram(rally, made)
    await db.token.update({ where: { id }, data: { expiresAt: new Date(Date.now() - 1_000) } })
    expect(await listOf(client)).toEqual([])
    expect(await refusal(rally.url, { headers: { 'X-API-Key': made.token } })).toMatchObject({ status: 401 })
    await runJob(rally, 'auth.cleanUp')
    expect(await within(program.closed, 'the close', 1_000)).toEqual({ code: 4501, reason: 'expired' })
    await db.token.update({ where: { id }, data: { endedAt: new Date(Date.now() - DAY_MS - 1_000) } })
    await runJob(rally, 'auth.cleanUp')
    expect(await db.token.findUnique({ where: { id } })).toBeNull()
  })

  test('with a ban, of which programs are told while it lasts', async ({ rally, database: { db } }) => {
    const [chief, bad] = await Promise.all([newAdmin(rally), newcomer(rally)])
    const made = await makeToken(bad.client, ['read'])
    const program = await openProgram(rally, made)
    const userId = bad.player.id
    await chief.client.call('admin.ban', { userId, reason: 'bots' })
    const told = { code: 4503, reason: 'You are banned: bots' }
    expect(await within(program.closed, 'the close', 1_000)).toEqual(told)
    const headers = { Authorization: `Bearer ${made.token}` }
    expect(await connectToBeClosed(rally.url, { headers })).toEqual(told)
    const called = await fetch(`${rally.url}/rpc/auth.me`, { headers })
    expect([called.status, await called.json()]).toMatchObject([403, { error: 'BANNED' }])
    await db.token.updateMany({ where: { userId }, data: { endedAt: new Date(Date.now() - 2 * DAY_MS) } })
    await runJob(rally, 'auth.cleanUp')
    expect(await connectToBeClosed(rally.url, { headers })).toEqual(told)
    await chief.client.call('admin.unban', { userId })
    expect(await refusal(rally.url, { headers })).toMatchObject({ status: 401 })
  })

  test.for<[string, string, string]>([
    ['ends all sessions', 'admin.endSessions', 'revoked'],
    ['resets the authenticator', 'admin.resetAuthenticator', 'reset'],
  ])('when an admin %s', async ([, act, reason], { rally }) => {
    const [chief, user] = await Promise.all([newAdmin(rally), newcomer(rally)])
    const program = await openProgram(rally, await makeToken(user.client, ['read']))
    await chief.client.call(act, { userId: user.player.id })
    expect(await within(program.closed, 'the close', 1_000)).toEqual({ code: 4501, reason })
  })

  test('when its user replaces the authenticator', async ({ rally }) => {
    const { client } = await newcomer(rally)
    const program = await openProgram(rally, await makeToken(client, ['read']))
    const { secret } = await client.call<{ secret: string }>('auth.rotateTotp')
    await client.call('auth.rotateTotp', { code: codeOf(secret) })
    expect(await within(program.closed, 'the close', 1_000)).toEqual(REVOKED)
  })

  test('with the account', async ({ rally, database: { db } }) => {
    const { player, client } = await newcomer(rally)
    const made = await makeToken(client, ['read'])
    await db.user.delete({ where: { id: player.id } })
    expect(await refusal(rally.url, { headers: { 'X-API-Key': made.token } })).toMatchObject({ status: 401 })
  })
})

test('a token that is revoked on one node closes its sockets on every other, with a bus and without one', async () => {
  const database = await createTestDatabase()
  const cluster = new Map()
  await using first = await startRally({ database, cluster })
  const { secrets } = first.config
  await using second = await startRally({ database, cluster, config: { secrets } })
  await using alone = await startRally({ database, config: { secrets } })
  const { client } = await newcomer(first)
  const made = await makeToken(client, ['read'])
  const programs = await Promise.all([first, second, alone].map((rally) => openProgram(rally, made)))
  await client.call('auth.revokeToken', { tokenId: made.tokenId })
  const closes = await Promise.all(programs.map(({ closed }) => within(closed, 'the close', 1_000)))
  // The row of a token does not tell why it ended.
  expect(closes).toEqual([REVOKED, REVOKED, { code: 4501, reason: 'ended' }])
  for (const { url } of [second, alone]) {
    expect(await refusal(url, { headers: { 'X-API-Key': made.token } })).toMatchObject({ status: 401 })
  }
})
