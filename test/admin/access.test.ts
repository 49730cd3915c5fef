import { expect } from 'vitest'
import { admin } from '../../src/modules/admin/index.ts'
import { newAdmin } from '../support/admins.ts'
import { newcomer, openSocket } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'

const definitions = [...Object.entries(admin.methods), ...Object.entries(admin.subscriptions)]

const test = rallyTest()

test('every definition of the module is for admins alone', async ({ rally }) => {
  await using nobody = await openSocket(rally)
  const [player, chief] = await Promise.all([newcomer(rally), newAdmin(rally)])
  expect(definitions.length).toBeGreaterThanOrEqual(11)
  for (const [name, { access, scope }] of definitions) {
    expect({ name, access, scope }).toEqual({ name, access: 'admin', scope: 'none' })
    const type = `admin.${name}`
    expect(await nobody.request(type, {})).toMatchObject({ error: 'UNAUTHENTICATED' })
    expect(await player.client.request(type, {})).toMatchObject({ error: 'FORBIDDEN' })
    // Without the input that it needs, but let in.
    expect([undefined, 'VALIDATION_FAILED']).toContain((await chief.client.request(type, {})).error)
  }
  const { db } = rally.app.platform.database
  expect(await db.auditEntry.count()).toBe(0)
})

test('each declared error occurs', async ({ rally }) => {
  const chief = await newAdmin(rally)
  const own = chief.player.id
  const ask = async (name: string, data: object) => (await chief.client.request(`admin.${name}`, data)).error
  const noUser = { userId: 'no-such-user' }
  expect({
    user: await ask('user', noUser),
    userByName: await ask('user', { username: 'nobody_here' }),
    ban: await ask('ban', { ...noUser, reason: 'x' }),
    unban: await ask('unban', noUser),
    unbanOfNobodyBanned: await ask('unban', { userId: own }),
    endSessions: await ask('endSessions', noUser),
    resetAuthenticator: await ask('resetAuthenticator', noUser),
    setRole: await ask('setRole', { ...noUser, role: 'admin' }),
    abort: await ask('abort', { matchId: 'no-such-match', reason: 'x' }),
  }).toEqual({
    user: 'NOT_FOUND',
    userByName: 'NOT_FOUND',
    ban: 'NOT_FOUND',
    unban: 'NOT_FOUND',
    unbanOfNobodyBanned: 'NOT_FOUND',
    endSessions: 'NOT_FOUND',
    resetAuthenticator: 'NOT_FOUND',
    setRole: 'NOT_FOUND',
    abort: 'NOT_FOUND',
  })
  // Nobody shuts themselves out, so an admin always remains.
  expect(await ask('ban', { userId: own, reason: 'x' })).toBe('FORBIDDEN')
  expect(await ask('setRole', { userId: own, role: 'player' })).toBe('FORBIDDEN')
  expect(await ask('resetAuthenticator', { userId: own })).toBe('FORBIDDEN')
  expect(await ask('ban', { userId: own, reason: 'x', until: Date.now() - 1 })).toBe('VALIDATION_FAILED')
  // What failed was not done, so the log does not have it.
  const { db } = rally.app.platform.database
  expect(await db.auditEntry.count()).toBe(0)
})
