import { expect } from 'vitest'
import { AuditEntry } from '../../src/modules/admin/types.ts'
import { listOf } from '../../src/modules/pages.ts'
import { newAdmin } from '../support/admins.ts'
import { newcomer } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'

const Audit = listOf(AuditEntry)
const test = rallyTest()

test('every act has its row: who, what, whom, when and from where, the newest first', async ({ rally }) => {
  const [chief, player] = await Promise.all([newAdmin(rally), newcomer(rally)])
  const { id: userId, username } = player.player
  const { id: matchId } = await player.client.call<{ id: string }>('matches.create', { game: 'pong', mode: 'casual' })
  const until = Date.now() + 60_000
  const since = Date.now()
  const acts = [
    ['abort', { matchId, reason: 'a test' }, { reason: 'a test' }],
    ['setRole', { userId, role: 'admin' }, { role: 'admin' }],
    ['setRole', { userId, role: 'player' }, { role: 'player' }],
    ['ban', { userId, reason: 'spam', until }, { reason: 'spam', until }],
    ['ban', { userId, reason: 'more spam' }, { reason: 'more spam', until: null }],
    ['unban', { userId }, {}],
    ['resetAuthenticator', { userId }, {}],
    ['endSessions', { userId }, {}],
  ] as const
  for (const [name, input] of acts) await chief.client.call(`admin.${name}`, input)
  const list = async (data: object) => Audit.parse(await chief.client.call('admin.audit', data))
  const admin = { id: chief.player.id, username: chief.player.username }
  const expected = acts.map(([act, input, details]) => ({
    act,
    details,
    admin,
    address: '127.0.0.1',
    ...('matchId' in input ? { matchId, user: null } : { matchId: null, user: { id: userId, username } }),
  }))
  const { items } = await list({})
  expect(items.toReversed()).toMatchObject(expected)
  for (const { at } of items) expect(at).toBeGreaterThanOrEqual(since)

  const first = await list({ userId, limit: 3 })
  const rest = await list({ userId, cursor: first.nextCursor })
  const paged = [...first.items, ...rest.items]
  expect(paged.map(({ id }) => id)).toEqual(items.slice(0, -1).map(({ id }) => id))
})

test('the database refuses to change the log, whoever asks', async ({ rally, database }) => {
  const [chief, player] = await Promise.all([newAdmin(rally), newcomer(rally)])
  await chief.client.call('admin.ban', { userId: player.player.id, reason: 'kept' })
  for (const sql of [
    `UPDATE audit_log SET act = 'unban'`,
    'UPDATE audit_log SET details = details WHERE false',
    'DELETE FROM audit_log',
    'TRUNCATE audit_log',
  ]) {
    await expect(database.db.$executeRawUnsafe(sql)).rejects.toThrow('audit_log is append-only')
  }
  // Not even where triggers are off.
  const replica = database.db.$transaction(async (tx) => {
    await tx.$executeRawUnsafe('SET LOCAL session_replication_role = replica')
    await tx.$executeRawUnsafe('DELETE FROM audit_log')
  })
  await expect(replica).rejects.toThrow('audit_log is append-only')
  expect(await database.db.auditEntry.count({ where: { userId: player.player.id, act: 'ban' } })).toBe(1)
})

test('an act that fails leaves no row, and a retry of one leaves one', async ({ rally, database }) => {
  const [chief, player] = await Promise.all([newAdmin(rally), newcomer(rally)])
  const { id: userId } = player.player
  const ban = () => chief.client.request('admin.ban', { userId, reason: 'once' }, { eid: 'the-ban' })
  expect((await ban()).error).toBeUndefined()
  expect((await ban()).error).toBeUndefined()
  expect(await chief.client.request('admin.unban', { userId: chief.player.id })).toMatchObject({ error: 'NOT_FOUND' })
  const rows = await database.db.auditEntry.findMany({ where: { adminId: chief.player.id } })
  expect(rows.map(({ act }) => act)).toEqual(['ban'])
})
