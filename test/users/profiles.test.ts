import { expect } from 'vitest'
import { connect } from '../support/client.ts'
import { newcomers } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'
import { register } from '../support/server.ts'
import { PNG } from './pictures.ts'

const test = rallyTest()

test('everybody sees a profile; nobody sees one of a name that nobody has', async ({ rally, ada }) => {
  await using nobody = await connect(rally.url)
  expect(await nobody.call('users.getOne', { username: 'ADA' })).toEqual({
    id: ada.id,
    username: 'ada',
    displayName: 'ada',
    bio: '',
    avatarUrl: '/avatars/ada',
    createdAt: expect.any(Number),
  })
  await expect(nobody.call('users.getOne', { username: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(nobody.call('users.stats', { username: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(nobody.call('users.updateProfile', {})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
})

test('users change their own profile, a part at a time', async ({ rally }) => {
  const [{ player, client }] = await newcomers(rally, 1)
  const { username } = player
  const changed = await client.call('users.updateProfile', { displayName: '  Zoë 👩‍🚀 ', bio: 'one\r\ntwo ' })
  expect(changed).toMatchObject({ username, displayName: 'Zoë 👩‍🚀', bio: 'one\ntwo' })
  await client.call('users.updateProfile', { bio: '' })
  expect(await client.call('users.getOne', { username })).toMatchObject({ displayName: 'Zoë 👩‍🚀', bio: '' })
  const created = await client.call<{ players: unknown[] }>('matches.create', { game: 'pong', mode: 'bot' })
  expect(created.players[0]).toMatchObject({ username, displayName: 'Zoë 👩‍🚀' })
})

test.for([
  ['nothing', ''],
  ['spaces', '   '],
  ['what cannot be seen', '\u200d\u200c'],
  ['a zero-width space', 'a\u200bda'],
  ['a control character', 'a\u0007da'],
  ['a line', 'a\nda'],
  ['text turned around', 'ad\u202ea'],
  ['a tower of marks', `a${'\u0301'.repeat(9)}`],
  ['31 characters', 'a'.repeat(31)],
  ['half a character', 'a\ud83d'],
] as const)('a display name of %s is refused', async ([, displayName], { rally }) => {
  const [{ client }] = await newcomers(rally, 1)
  const changing = client.call('users.updateProfile', { displayName })
  await expect(changing).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
})

test('the username of somebody else is no display name', async ({ rally, ada }) => {
  const [{ player, client }] = await newcomers(rally, 1)
  for (const displayName of ['ADA', 'a\u200dda', 'ad\ufe0fa', '\uff21da', '\u{1d5ee}da']) {
    const changing = client.call('users.updateProfile', { displayName, bio: 'not kept' })
    await expect(changing, displayName).rejects.toMatchObject({ code: 'NAME_TAKEN' })
  }
  expect(await client.call('users.getOne', { username: player.username })).toMatchObject({ bio: '' })
  await using own = await connect(rally.url, { cookie: ada.cookie })
  await own.call('users.updateProfile', { displayName: 'Ada' })
})

test('users are found by the beginning of their names, page by page', async ({ rally }) => {
  const names = ['find_a', 'find_b', 'find_c', 'findxd']
  for (const name of names) await register(rally.url, name)
  const [{ client }] = await newcomers(rally, 1)
  const search = (input: object) =>
    client.call<{ items: { username: string }[]; nextCursor?: string }>('users.search', input)
  const namesOf = ({ items }: { items: { username: string }[] }) => items.map(({ username }) => username)
  // `_` is no wildcard.
  expect(namesOf(await search({ prefix: '@Find_' }))).toEqual(['find_a', 'find_b', 'find_c'])
  const first = await search({ prefix: 'find', limit: 3 })
  const second = await search({ prefix: 'find', limit: 3, cursor: first.nextCursor })
  expect([namesOf(first), namesOf(second)]).toEqual([['find_a', 'find_b', 'find_c'], ['findxd']])
  expect(second.nextCursor).toBeUndefined()
  await expect(search({ prefix: '%' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  await using nobody = await connect(rally.url)
  await expect(nobody.call('users.search', { prefix: 'a' })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
})

test('a search reads a range of the index', async ({ database }) => {
  const plan = await database.db.$transaction(async (tx) => {
    await tx.$executeRawUnsafe('SET LOCAL enable_seqscan = off')
    return tx.$queryRawUnsafe(
      `EXPLAIN SELECT id FROM users WHERE username ~>=~ 'find' AND username ~<~ 'find~' ORDER BY username USING ~<~ LIMIT 3`,
    )
  })
  expect(JSON.stringify(plan)).toContain('users_username_prefix_idx')
  expect(JSON.stringify(plan)).not.toContain('Sort')
})

test('two accounts are exported at once on a node; others are told to come later', async ({
  rally,
  database: { db },
}) => {
  const players = await newcomers(rally, 3)
  const exportOf = (n: 0 | 1 | 2) => players[n].client.call('users.export')
  let running: Promise<unknown>[] = []
  await db.$transaction(async (tx) => {
    await tx.$executeRaw`LOCK TABLE boss_defeats`
    running = [exportOf(0), exportOf(1)]
    const waiting = () => db.$queryRaw`
      SELECT FROM pg_locks WHERE relation = 'boss_defeats'::regclass AND NOT granted`
    await expect.poll(waiting).toHaveLength(2)
    await expect(exportOf(2)).rejects.toThrow(/UNAVAILABLE .*"retryAfterMs":2000/)
  })
  expect(await Promise.all(running)).toHaveLength(2)
  expect(await exportOf(2)).toMatchObject({ data: { scores: { scores: [] } } })
})

test('an account is exported with what every module keeps of it, and without secrets', async ({ rally }) => {
  const [{ player, client }] = await newcomers(rally, 1)
  await client.call('users.updateProfile', { bio: 'about me', avatar: PNG.toString('base64') })
  await client.call('matches.create', { game: 'pong', mode: 'casual' })
  const { data } = await client.call<{ data: Record<string, unknown> }>('users.export')
  expect(data).toMatchObject({
    auth: { id: player.id, username: player.username, recoveryCodesLeft: 10, sessions: [{ endedAt: null }] },
    users: { bio: 'about me', avatarType: 'image/png', avatar: expect.any(String) },
    matches: { matches: [{ game: 'pong', mode: 'casual', seat: 0 }], ratings: [] },
  })
  const text = JSON.stringify(data)
  for (const secret of [player.secret, ...player.recoveryCodes]) expect(text).not.toContain(secret)
  await using nobody = await connect(rally.url)
  await expect(nobody.call('users.export')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
})
