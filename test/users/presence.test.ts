import { afterAll, beforeAll, expect, test } from 'vitest'
import { userService } from '../../src/modules/users/service.ts'
import type { PresenceList } from '../../src/modules/users/types.ts'
import { CONNECT_FOUR, create, follow as followMatch, startTwo } from '../matches/support.ts'
import { connect, type Stream, type TestClient } from '../support/client.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { type Newcomer, newcomer, openSocket } from '../support/newcomers.ts'
import type { Rally } from '../support/server.ts'

// Two nodes on one database.
let database: TestDatabase
let a: Rally
let b: Rally

beforeAll(async () => {
  database = await createTestDatabase()
  ;[a, b] = await startTwo(database)
})
afterAll(async () => {
  await Promise.all([a.stop(), b.stop()])
  await database.drop()
})

/** The presence of some users, as one socket follows it. */
class Watch {
  readonly #stream: Stream<PresenceList, PresenceList>
  newest: PresenceList

  constructor(stream: Stream<PresenceList, PresenceList>) {
    this.#stream = stream
    if (!('snapshot' in stream.opening)) throw new Error('presence has a snapshot')
    this.newest = stream.opening.snapshot
  }

  static async open(client: TestClient, of: readonly Newcomer[]): Promise<Watch> {
    const userIds = of.map(({ player }) => player.id)
    return new Watch(await client.subscribe<PresenceList>('users.onPresence', { userIds }))
  }

  of({ player }: Newcomer) {
    return this.newest.users.find(({ userId }) => userId === player.id)
  }

  async until(user: Newcomer, status: string): Promise<void> {
    while (this.of(user)?.status !== status) this.newest = (await this.#stream.events.next()).data
  }

  get channel(): string {
    return this.#stream.channel
  }
}

/** As if the user had gone almost 10 s ago. */
async function letGraceEnd({ player }: Newcomer): Promise<void> {
  const { db } = a.app.platform.database
  await eventually(
    () => db.departure.updateMany({ where: { userId: player.id }, data: { at: new Date(Date.now() - 9_700) } }),
    ({ count }) => count === 1,
  )
  a.app.platform.use(userService).presence.announce([player.id])
}

test('a user is online with the first socket to any node, and offline some time after the last one', async () => {
  const [watcher, user] = await Promise.all([newcomer(a), newcomer(b)])
  const watch = await Watch.open(watcher.client, [user])
  await watch.until(user, 'online')
  const other = await openSocket(a, user.player)
  await user.drop()
  await other.close()
  // A subscription that is opened in the time of grace says online as well.
  const { db } = a.app.platform.database
  await eventually(
    () => db.presence.count({ where: { userId: user.player.id } }),
    (count) => count === 0,
  )
  expect((await Watch.open(await openSocket(b, watcher.player), [user])).of(user)?.status).toBe('online')
  await letGraceEnd(user)
  await watch.until(user, 'offline')
  await user.comeBack()
  await watch.until(user, 'online')
})

test('a user who comes back in time was never away', async () => {
  const [watcher, user] = await Promise.all([newcomer(a), newcomer(b)])
  const stream = await watcher.client.subscribe<PresenceList>('users.onPresence', {
    userIds: [user.player.id, watcher.player.id],
  })
  const { db } = a.app.platform.database
  await user.drop()
  await eventually(
    () => db.departure.count({ where: { userId: user.player.id } }),
    (count) => count === 1,
  )
  await user.comeBack()
  await create(user.client, { mode: 'bot', ...CONNECT_FOUR })
  const seen: string[] = []
  while (!seen.includes('playing')) {
    const { data } = await stream.events.next()
    seen.push(...data.users.filter(({ userId }) => userId === user.player.id).map(({ status }) => status))
  }
  expect(seen).not.toContain('offline')
})

test('players are shown with their match while it is live, over nodes; a private one without its id', async () => {
  const [watcher, first, second] = await Promise.all([newcomer(a), newcomer(a), newcomer(b)])
  const watch = await Watch.open(watcher.client, [first, second])
  for (const visibility of ['public', 'private'] as const) {
    const { id, code } = await create(first.client, { ...CONNECT_FOUR, visibility })
    const follower = await followMatch(first.client, id)
    await second.client.call('matches.join', { code })
    await watch.until(first, 'playing')
    await watch.until(second, 'playing')
    const matchId = visibility === 'public' ? id : null
    expect(watch.newest.users.map((user) => user.matchId)).toEqual([matchId, matchId])
    const { items } = await watcher.client.call<{ items: unknown[] }>('users.online', { limit: 100 })
    expect(items).toContainEqual({
      id: first.player.id,
      username: first.player.username,
      displayName: first.player.username,
      avatarUrl: `/avatars/${first.player.username}`,
      status: 'playing',
      matchId,
    })
    await second.client.call('matches.leave', { matchId: id })
    await follower.over()
    await watch.until(first, 'online')
    await watch.until(second, 'online')
  }
  const stats = async ({ player }: Newcomer) => watcher.client.call('users.stats', { username: player.username })
  const unrated = { rating: null, deviation: null, history: [] }
  expect(await stats(first)).toEqual({ games: [{ game: 'connect-four', played: 2, won: 2, ...unrated }] })
  expect(await stats(second)).toEqual({ games: [{ game: 'connect-four', played: 2, won: 0, ...unrated }] })
})

test('sockets that follow the same users share a stream', async () => {
  const [watcher, other, first, second] = await Promise.all([newcomer(a), newcomer(a), newcomer(b), newcomer(b)])
  const watches = await Promise.all([
    Watch.open(watcher.client, [first, second]),
    Watch.open(other.client, [second, first, second]),
  ])
  expect(watches[0].channel).toBe(watches[1].channel)
  await create(first.client, { mode: 'bot', ...CONNECT_FOUR })
  await Promise.all(watches.map((watch) => watch.until(first, 'playing')))
})

test('users who are online are listed page by page, and none twice', async () => {
  const users = await Promise.all([newcomer(a), newcomer(b), newcomer(a)])
  const [{ client }] = users
  const watch = await Watch.open(client, users)
  for (const user of users) await watch.until(user, 'online')
  const names: string[] = []
  let cursor: string | undefined
  do {
    const page = await client.call<{ items: { username: string }[]; nextCursor?: string }>('users.online', {
      limit: 2,
      cursor,
    })
    names.push(...page.items.map(({ username }) => username))
    cursor = page.nextCursor
  } while (cursor !== undefined)
  expect(names).toEqual([...new Set(names)])
  expect(names).toEqual(expect.arrayContaining(users.map(({ player }) => player.username)))
})

test('presence is for users, and for 64 of them at most', async () => {
  await using nobody = await connect(a.url)
  await expect(nobody.subscribe('users.onPresence', { userIds: ['x'] })).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  })
  await expect(nobody.call('users.online')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  const { client } = await newcomer(a)
  const userIds = Array.from({ length: 65 }, (_, index) => `user-${index}`)
  await expect(client.subscribe('users.onPresence', { userIds })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  const stream = await client.subscribe<PresenceList>('users.onPresence', { userIds: userIds.slice(1) })
  // Nobody has these ids.
  expect('snapshot' in stream.opening && stream.opening.snapshot.users).toEqual([])
})

test('one user follows 256 users in 8 lists at most, and others are not kept out by it', async () => {
  const { db } = a.app.platform.database
  const made = Array.from({ length: 257 }, (_, index) => `followed_${index}`)
  await db.user.createMany({
    data: made.map((id) => ({ id, username: id, displayName: id, totpKeyId: 'none', totpSecret: Buffer.alloc(0) })),
  })
  const [greedy, other] = await Promise.all([newcomer(a), newcomer(a)])
  const open = (client: TestClient, from: number, to: number) =>
    client.subscribe<PresenceList>('users.onPresence', { userIds: made.slice(from, to) })
  const second = await openSocket(a, greedy.player)
  for (let at = 0; at < 256; at += 64) await open(at < 128 ? greedy.client : second, at, at + 64)
  // The same list again is no other one.
  await open(second, 0, 64)
  await expect(open(second, 256, 257)).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  await open(other.client, 256, 257)
  for (let at = 1; at < 8; at++) await open(other.client, at, at + 1)
  await expect(open(other.client, 8, 9)).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  // Lists that are left do not count for long.
  await second.close()
  await eventually(
    () => open(greedy.client, 256, 257).catch(() => null),
    (stream) => stream !== null,
  )
})
