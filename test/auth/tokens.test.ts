import { describe, expect, vi } from 'vitest'
import { authService } from '../../src/modules/auth/index.ts'
import type { TokenInfo } from '../../src/modules/auth/types.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { newAdmin, promote } from '../support/admins.ts'
import { connect, refusal, within } from '../support/client.ts'
import { newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { makeToken, openProgram } from '../support/programs.ts'
import { rallyTest } from '../support/rally-test.ts'

const DAY_MS = 24 * 60 * 60_000
const PONG = { game: 'pong', mode: 'casual', visibility: 'private' }

const test = rallyTest()

const listOf = async (client: { call<T>(type: string): Promise<T> }) =>
  (await client.call<{ items: TokenInfo[] }>('auth.tokens')).items

describe('a token', () => {
  test('opens sockets of its user by either header, and does what its scopes allow', async ({ rally }) => {
    const { player, client } = await newcomer(rally)
    const made = await makeToken(client, ['read', 'play', 'read'], ' my bot ')
    expect(made.token).toMatch(/^rally_[\w-]{43}$/)
    const ways = [
      `Authorization: Bearer ${made.token}`,
      `authorization: bearer ${made.token}`,
      `X-API-Key: ${made.token}`,
    ]
    for (const way of ways) {
      const [name = '', value = ''] = way.split(': ')
      await using program = await connect(rally.url, { headers: { [name]: value } })
      expect(program.welcome.user).toEqual({ id: player.id, username: player.username })
      expect(program.headers['set-cookie']).toBeUndefined()
      expect((await program.call<{ username: string }>('auth.me')).username).toBe(player.username)
      const { id } = await program.call<Match>('matches.create', PONG)
      await program.call('matches.leave', { matchId: id })
    }
    const reader = await openProgram(rally, await makeToken(client, ['read']))
    await reader.subscribe('matches.onLobby')
    expect(await reader.request('matches.create', PONG)).toMatchObject({
      error: 'FORBIDDEN',
      data: { message: 'This token lacks the scope play' },
    })
  })

  test('calls methods over HTTP by either header', async ({ rally }) => {
    const { player, client } = await newcomer(rally)
    const made = await makeToken(client, ['read'])
    const call = async (type: string, headers: Record<string, string>, method = 'GET') => {
      const response = await fetch(`${rally.url}/rpc/${type}`, { method, headers })
      return { status: response.status, ...(await response.json()) }
    }
    for (const headers of [{ Authorization: `Bearer ${made.token}` }, { 'X-API-Key': made.token }]) {
      expect(await call('auth.me', headers)).toMatchObject({ status: 200, username: player.username })
      expect(await call('auth.sessions', headers)).toMatchObject({ status: 403, error: 'FORBIDDEN' })
      expect(await call('matches.create', headers, 'POST')).toMatchObject({ status: 403, error: 'FORBIDDEN' })
    }
    const wrong = { 'X-API-Key': `rally_${'x'.repeat(43)}` }
    expect(await call('matches.list', wrong)).toMatchObject({ status: 401, error: 'UNAUTHENTICATED' })
    await client.call('auth.revokeToken', { tokenId: made.tokenId })
    expect(await call('auth.me', { 'X-API-Key': made.token })).toMatchObject({ status: 401 })
  })

  test('is listed without itself, with its last use to the minute', async ({ rally, database: { db } }) => {
    const { client } = await newcomer(rally)
    const made = await makeToken(client, ['scores:write'], 'my bot')
    const before = Date.now()
    const [listed] = await listOf(client)
    expect(listed).toEqual({
      id: made.tokenId,
      name: 'my bot',
      scopes: ['scores:write'],
      createdAt: expect.any(Number),
      lastUsedAt: null,
      expiresAt: (listed?.createdAt ?? 0) + 90 * DAY_MS,
    })
    await (await openProgram(rally, made)).close()
    const [used] = await listOf(client)
    expect(used?.lastUsedAt).toBeGreaterThanOrEqual(before)
    await (await openProgram(rally, made)).close()
    expect(await listOf(client)).toEqual([used])
    await db.token.update({ where: { id: made.tokenId }, data: { lastUsedAt: new Date(before - 61_000) } })
    await (await openProgram(rally, made)).close()
    expect((await listOf(client))[0]?.lastUsedAt).toBeGreaterThanOrEqual(before)
  })

  test('is stored as a hash, and given once more only to a retry', async ({ rally, database: { db } }) => {
    const { player, client } = await newcomer(rally)
    const data = { name: 'my bot', scopes: ['read'], expiresInDays: 1 }
    const first = await client.request<{ token: string }>('auth.createToken', data, { eid: 'the-same' })
    const again = await client.request('auth.createToken', data, { eid: 'the-same' })
    expect(again.data).toEqual(first.data)
    const rows = await db.token.findMany({ where: { userId: player.id } })
    expect(rows).toHaveLength(1)
    const kept = JSON.stringify([
      rows.map(({ hash, ...row }) => ({ ...row, hash: Buffer.from(hash).toString() })),
      await db.write.findMany({ where: { userId: player.id } }),
    ])
    expect(kept).toContain('my bot')
    expect(kept).not.toContain(first.data.token)
    expect(kept).not.toContain(first.data.token.slice('rally_'.length))
  })

  test('is in what its user exports, without its secret', async ({ rally }) => {
    const { client } = await newcomer(rally)
    const made = await makeToken(client, ['read'], 'my bot')
    const exported = JSON.stringify(await client.call('users.export'))
    expect(exported).toContain('my bot')
    expect(exported).not.toContain(made.token)
  })

  test('counts, and a cookie beside it does not; it begins and ends no session', async ({ rally }) => {
    const [ada, ben] = await newcomers(rally, 2)
    const made = await makeToken(ada.client, ['read', 'play', 'scores:write'])
    const { cookie } = ben.player
    const program = await openProgram(rally, made, { cookie })
    expect(program.welcome.user?.id).toBe(ada.player.id)
    const asked = { 'auth.begin': { username: 'somebody' }, 'auth.logout': {}, 'auth.sessions': {}, 'auth.tokens': {} }
    const writes = {
      'auth.createToken': { name: 'x', scopes: ['read'] },
      'auth.revokeToken': { tokenId: made.tokenId },
    }
    for (const [type, data] of Object.entries({ ...asked, ...writes, 'auth.onSession': {} })) {
      expect(await program.request(type, data)).toMatchObject({ type, error: 'FORBIDDEN' })
    }
    const headers = { Authorization: `Bearer ${made.token}`, Cookie: cookie }
    expect((await fetch(`${rally.url}/session`, { method: 'DELETE', headers })).status).toBe(200)
    expect((await within(ben.client.closed, 'the close')).code).toBe(4501)
    expect((await program.request('rpc.ping')).error).toBeUndefined()
  })
})

describe('a token is made', () => {
  test('by its user in a new session alone', async ({ rally, database: { db } }) => {
    const { player, client } = await newcomer(rally)
    const data = { name: 'my bot', scopes: ['read'] }
    await using nobody = await openSocket(rally)
    expect(await nobody.request('auth.createToken', data)).toMatchObject({ error: 'UNAUTHENTICATED' })
    await db.session.updateMany({
      where: { userId: player.id },
      data: { createdAt: new Date(Date.now() - 11 * 60_000) },
    })
    expect(await client.request('auth.createToken', data)).toMatchObject({
      error: 'FORBIDDEN',
      data: { message: expect.stringContaining('older than ten minutes') },
    })
  })

  test.for<[string, object]>([
    ['without a name', { name: ' ' }],
    ['with a name that is too long', { name: 'x'.repeat(41) }],
    ['without a scope', { scopes: [] }],
    ['with a scope that does not exist', { scopes: ['admin'] }],
    ['for no day', { expiresInDays: 0 }],
    ['for more than a year', { expiresInDays: 366 }],
  ])('not %s', async ([, wrong], { rally, ada }) => {
    await using client = await openSocket(rally, ada)
    expect(await client.request('auth.createToken', { name: 'x', scopes: ['read'], ...wrong })).toMatchObject({
      error: 'VALIDATION_FAILED',
    })
  })

  test('fifty times, and then again once one is revoked', async ({ rally }) => {
    const { client } = await newcomer(rally)
    const first = await makeToken(client, ['read'])
    await Promise.all(Array.from({ length: 49 }, () => makeToken(client, ['read'])))
    const one = () => client.request('auth.createToken', { name: 'x', scopes: ['read'] })
    expect(await one()).toMatchObject({ error: 'TOO_MANY_TOKENS' })
    expect(await listOf(client)).toHaveLength(50)
    await client.call('auth.revokeToken', { tokenId: first.tokenId })
    expect((await one()).error).toBeUndefined()
  })
})

test('the token of an admin is no admin, whatever becomes of the role', async ({ rally }) => {
  const [chief, deputy] = await Promise.all([newAdmin(rally), newcomer(rally)])
  await promote(rally, deputy.player.id)
  await deputy.client.close()
  deputy.client = await openSocket(rally, deputy.player)
  const program = await openProgram(rally, await makeToken(deputy.client, ['read', 'play', 'scores:write']))
  expect(await program.request('admin.users')).toMatchObject({ error: 'FORBIDDEN' })
  expect(await program.request('admin.setRole', {})).toMatchObject({ error: 'FORBIDDEN' })
  expect(await program.call('auth.me')).toMatchObject({ role: 'player' })
  await chief.client.call('admin.setRole', { userId: deputy.player.id, role: 'player' })
  expect((await within(deputy.client.closed, 'the close')).code).toBe(4001)
  await rally.app.platform.use(authService).closer.look()
  expect((await program.request('rpc.ping')).error).toBeUndefined()
})

describe('a wrong token', () => {
  test('is refused with 401; what cannot be one costs no query, another one a single query', async ({ rally, ada }) => {
    using asked = vi.spyOn(rally.app.platform.database.reserved, 'rows')
    const lookUps = () => asked.mock.calls.filter(([{ name }]) => name === 'tokens.byHash').length
    for (const wrong of ['rally_', `rally_${'x'.repeat(42)}`, `rally_${'x'.repeat(44)}`, 'eyJ.a.b']) {
      const refused = await refusal(rally.url, { headers: { Authorization: `Bearer ${wrong}` }, cookie: ada.cookie })
      expect(refused).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } })
    }
    expect(lookUps()).toBe(0)
    const unknown = { 'X-API-Key': `rally_${'x'.repeat(43)}` }
    expect(await refusal(rally.url, { headers: unknown })).toMatchObject({ status: 401 })
    expect(lookUps()).toBe(1)
    // Another scheme is none of ours.
    await using client = await connect(rally.url, { headers: { Authorization: 'Basic YTpi' }, cookie: ada.cookie })
    expect(client.welcome.user?.username).toBe('ada')
  })

  test('counts: an address with many of them waits, and none is looked up', async ({ rally }) => {
    const { client } = await newcomer(rally)
    const made = await makeToken(client, ['read'])
    const wrongFrom = async (localAddress: string, count: number, token = `rally_${'x'.repeat(43)}`) => {
      const wrong = { headers: { 'X-API-Key': token }, localAddress }
      const all = await Promise.all(Array.from({ length: count }, () => refusal(rally.url, wrong)))
      for (const { status } of all) expect(status).toBe(401)
    }
    const from = (localAddress: string) => ({ headers: { 'X-API-Key': made.token }, localAddress })
    await wrongFrom('127.0.0.77', 60)
    using asked = vi.spyOn(rally.app.platform.database.reserved, 'rows')
    expect(await refusal(rally.url, from('127.0.0.77'))).toMatchObject({ status: 429, headers: { 'retry-after': '1' } })
    expect(asked.mock.calls.filter(([{ name }]) => name === 'tokens.byHash')).toEqual([])
    await (await openProgram(rally, made)).close()
    // One that was right a moment ago is looked up.
    await (await connect(rally.url, from('127.0.0.77'))).close()
    // Right ones do not count.
    await wrongFrom('127.0.0.78', 50)
    for (let i = 0; i < 20; i++) await (await connect(rally.url, from('127.0.0.78'))).close()
    // Neither does what cannot be a token.
    await wrongFrom('127.0.0.79', 70, 'no token')
    await (await connect(rally.url, from('127.0.0.79'))).close()
  })
})
