import { expect } from 'vitest'
import { newcomers, openSocket } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'
import { runJob } from '../support/run-job.ts'

const test = rallyTest()

interface Listed {
  readonly players: number
  readonly entries: readonly { readonly username: string; readonly score: number; readonly rank: number }[]
}

const places = ({ entries }: Listed) => entries.map(({ username, rank }) => `${rank} ${username}`)

test('a leaderboard has the best score of each player; ties share a rank and come in the order of time', async ({
  rally,
}) => {
  const players = await newcomers(rally, 4)
  const [ada, ben, cem, dee] = players
  const names = players.map(({ player }) => player.username)
  const submit = (of: (typeof players)[number], score: number) =>
    of.client.call<{ isBest: boolean; score: { rank: number } }>('scores.submit', { gameMode: 'ties', score })
  expect(await submit(ada, 50)).toMatchObject({ isBest: true, score: { rank: 1, score: 50, playerName: names[0] } })
  await submit(ben, 90)
  await submit(cem, 50)
  expect(await submit(dee, 40)).toMatchObject({ score: { rank: 4 } })
  expect(await submit(ben, 10)).toMatchObject({ isBest: false, score: { rank: 5 } })
  const anonymous = await openSocket(rally)
  const list = (data: object) => anonymous.call<Listed>('scores.leaderboard', { gameMode: 'ties', ...data })
  const all = await list({})
  expect(all.players).toBe(4)
  expect(places(all)).toEqual([`1 ${names[1]}`, `2 ${names[0]}`, `2 ${names[2]}`, `4 ${names[3]}`])
  for (const period of ['day', 'week']) expect(places(await list({ period }))).toEqual(places(all))
  expect(places(await list({ limit: 2 }))).toEqual(places(all).slice(0, 2))
  // The list and `rank` count alike.
  const rank = (score: number) => anonymous.call('scores.rank', { gameMode: 'ties', score })
  expect(await rank(91)).toEqual({ rank: 1, players: 4 })
  expect(await rank(50)).toEqual({ rank: 2, players: 4 })
  expect(await rank(49)).toEqual({ rank: 4, players: 4 })
  expect(await rank(0)).toEqual({ rank: 5, players: 4 })
  // A later, better score moves its player up.
  await submit(cem, 51)
  expect(places(await list({}))).toEqual([`1 ${names[1]}`, `2 ${names[2]}`, `3 ${names[0]}`, `4 ${names[3]}`])
  const around = (of: (typeof players)[number], limit: number) =>
    of.client.call<Listed>('scores.leaderboard', { gameMode: 'ties', around: 'me', limit })
  expect(places(await around(dee, 2))).toEqual([`3 ${names[0]}`, `4 ${names[3]}`])
  expect(places(await around(cem, 3))).toEqual([`1 ${names[1]}`, `2 ${names[2]}`, `3 ${names[0]}`])
  expect(places(await around(ben, 3))).toHaveLength(3)
  await expect(list({ around: 'me' })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  expect(await list({ gameMode: 'nobody-plays-this' })).toMatchObject({ players: 0, entries: [] })
  const { items } = await anonymous.call<{ items: object[] }>('scores.gameModes', {})
  expect(items).toContainEqual({ gameMode: 'ties', players: 4 })
  await expect(list({ limit: 101 })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  await expect(list({ gameMode: 'No spaces' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
})

test('a list and `rank` agree for random scores of any size, also around a player within many ties', async ({
  rally,
  database: { db },
}) => {
  const [ada] = await newcomers(rally, 1)
  const top = 2 ** 40 - 1
  const scores = [
    0,
    1,
    255,
    256,
    65_535,
    65_536,
    2 ** 32,
    top,
    ...Array.from({ length: 60 }, (_, n) => (n * n * 7) % 97),
  ]
  const users = scores.map((_, n) => ({
    id: `crowd-${n}`,
    username: `crowd_${n}`,
    displayName: `crowd_${n}`,
    totpKeyId: '',
    totpSecret: Buffer.alloc(0),
  }))
  await db.user.createMany({ data: users })
  await ada.client.call('scores.submit', { gameMode: 'crowd', score: 48 })
  const board = await db.leaderboard.findFirstOrThrow({ where: { gameMode: 'crowd', period: 'all' } })
  await db.leaderboardEntry.createMany({
    data: scores.map((score, n) => ({
      leaderboardId: board.id,
      userId: `crowd-${n}`,
      scoreId: 1_000_000 + n,
      score,
      scoredAt: new Date(1_000 * (n % 3)),
      coins: 0,
      enemiesDefeated: 0,
      distance: 0,
      level: 0,
    })),
  })
  const everyone = [...scores, 48]
  const rankOf = (score: number) => 1 + everyone.filter((other) => other > score).length
  const list = await ada.client.call<Listed>('scores.leaderboard', { gameMode: 'crowd', limit: 100 })
  expect(list.players).toBe(everyone.length)
  expect(list.entries.map(({ score }) => score)).toEqual(everyone.toSorted((a, b) => b - a))
  for (const { score, rank } of list.entries) expect(rank).toBe(rankOf(score))
  for (const limit of [1, 2, 5, 20, 69]) {
    const { entries } = await ada.client.call<Listed>('scores.leaderboard', { gameMode: 'crowd', around: 'me', limit })
    const from = list.entries.findIndex(({ username }) => username === entries[0]?.username)
    expect(entries).toEqual(list.entries.slice(from, from + limit))
    expect(entries.some(({ username }) => username === ada.player.username)).toBe(true)
  }
  for (const score of [0, 47, 48, 49, 255, 70_000, top])
    expect(await ada.client.call('scores.rank', { gameMode: 'crowd', score })).toMatchObject({ rank: rankOf(score) })
  // Accounts that go, in one statement.
  await db.user.deleteMany({ where: { id: { in: ['crowd-7', 'crowd-0'] } } })
  expect(await ada.client.call('scores.rank', { gameMode: 'crowd', score: top - 1 })).toEqual({ rank: 1, players: 67 })
  await runJob(rally, 'scores.deleteUnused')
  expect(await ada.client.call('scores.rank', { gameMode: 'crowd', score: 0 })).toMatchObject({ players: 67 })
  expect(
    await db.$queryRaw`SELECT FROM leaderboard_counts GROUP BY leaderboard_id, level, node HAVING sum(entries) <= 0`,
  ).toEqual([])
})

test('counts are exact after many players have submitted at once', async ({ rally, database: { db } }) => {
  const players = await newcomers(rally, 8)
  const runs = players.flatMap(({ client }, n) =>
    Array.from({ length: 10 }, (_, run) =>
      client.call('scores.submit', { gameMode: 'rush', score: (run * 37 + n) % 300 }),
    ),
  )
  await Promise.all(runs)
  const list = await players[0].client.call<Listed>('scores.leaderboard', { gameMode: 'rush' })
  const bestOf = (n: number) => Math.max(...Array.from({ length: 10 }, (_, run) => (run * 37 + n) % 300))
  const best = players.map((_, n) => bestOf(n)).toSorted((a, b) => b - a)
  expect(list.entries.map(({ score }) => score)).toEqual(best)
  const wrong = await db.$queryRaw`
    SELECT FROM (SELECT leaderboard_id, level, node, sum(entries) AS entries FROM leaderboard_counts GROUP BY 1, 2, 3) AS counted
    FULL JOIN (SELECT leaderboard_id, level, score >> (32 - 8 * level) AS node, count(*) AS entries
      FROM (SELECT leaderboard_id, score FROM leaderboard_entries) AS entry, generate_series(0, 4) AS level GROUP BY 1, 2, 3) AS real USING (leaderboard_id, level, node)
    WHERE coalesce(counted.entries, 0) <> coalesce(real.entries, 0)`
  expect(wrong).toEqual([])
})

test('a score says what a run was, and only the best 50 of a name and mode are kept, 3 of another name', async ({
  rally,
  database: { db },
}) => {
  const [ada, ben] = await newcomers(rally, 2)
  const name = ada.player.username
  const run = { coins: 3, enemiesDefeated: 4, distance: 12.5, level: 2 }
  const { score } = await ada.client.call<{ score: object }>('scores.submit', { gameMode: 'run', score: 7, ...run })
  expect(score).toMatchObject({ ...run, username: name, gameMode: 'run', rank: 1 })
  const many = Array.from({ length: 55 }, (_, n) => ({
    userId: ada.player.id,
    gameMode: 'run',
    score: 100 + n,
    ...run,
  }))
  await db.score.createMany({ data: many })
  await ada.client.call('scores.submit', { gameMode: 'run', score: 1_000, playerName: ` ${name.toUpperCase()}` })
  for (const score of [1, 7, 3, 4, 2, 6, 5])
    await ada.client.call('scores.submit', { gameMode: 'run', score, playerName: '  Ada the Great ' })
  const keptAs = async (playerName: string | null) => {
    const kept = await db.score.findMany({ where: { userId: ada.player.id, playerName }, orderBy: { score: 'asc' } })
    return kept.map((row) => Number(row.score))
  }
  expect(await keptAs(null)).toEqual([...many.map((row) => row.score).slice(-49), 1_000])
  expect(await keptAs('Ada the Great')).toEqual([5, 6, 7])
  const ofPlayer = (who: string) =>
    ben.client.call<{ items: { score: number; playerName: string }[] }>('scores.ofPlayer', {
      name: who,
      gameMode: 'run',
      limit: 2,
    })
  const best = { score: 1_000, playerName: name, username: name, rank: 1 }
  expect(await ofPlayer(name)).toMatchObject({ items: [best, { score: 154 }] })
  const asGreat = { playerName: 'Ada the Great', username: name }
  expect(await ofPlayer('ada THE great')).toMatchObject({ items: [{ ...asGreat, score: 7, rank: 2 }, asGreat] })
  await expect(ofPlayer('nobody here')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await ben.client.call('scores.best', { username: name })).toMatchObject({ items: [best] })
  expect(await ben.client.call('scores.best', { username: name, gameMode: 'other' })).toEqual({ items: [] })
  await expect(ben.client.call('scores.best', { username: 'nobody_here' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  const submit = (data: object) => ada.client.call('scores.submit', { gameMode: 'run', score: 1, ...data })
  const { username } = ben.player
  for (const playerName of [username.toUpperCase(), `${username}\u200d`]) {
    await expect(submit({ playerName })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  }
  for (const bad of [
    { score: -1 },
    { score: 2 ** 40 },
    { score: 1.5 },
    { distance: -1 },
    { coins: 2 ** 31 },
    { playerName: 'a\nb' },
  ])
    await expect(submit(bad)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
  const anonymous = await openSocket(rally)
  await expect(anonymous.call('scores.submit', { gameMode: 'run', score: 1 })).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  })
})

test('a player may begin few game modes a day', async ({ rally }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const submit = (of: typeof ada, mode: number) =>
    of.client.call('scores.submit', { gameMode: `new-${mode}`, score: 1 })
  for (let mode = 1; mode <= 5; mode++) await submit(ada, mode)
  await expect(submit(ada, 6)).rejects.toMatchObject({ code: 'TOO_MANY_MODES' })
  await submit(ada, 5)
  await submit(ben, 6)
  await submit(ada, 6)
})

test('followers see a leaderboard change, once for many scores', async ({ rally }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const anonymous = await openSocket(rally)
  await ada.client.call('scores.submit', { gameMode: 'live', score: 1 })
  const stream = await anonymous.subscribe('scores.onLeaderboard', { gameMode: 'live' })
  const today = await anonymous.subscribe('scores.onLeaderboard', { gameMode: 'live', period: 'day' })
  expect(stream.opening).toMatchObject({ snapshot: { players: 1, entries: [{ score: 1, rank: 1 }] } })
  const later = [2, 3, 4, 5].map((score) => ben.client.call('scores.submit', { gameMode: 'live', score }))
  await Promise.all(later)
  const expected = { players: 2, entries: [{ score: 5, username: ben.player.username }, { score: 1 }] }
  const event = await stream.events.next()
  expect(event.data).toMatchObject(expected)
  expect((await today.events.next()).data).toMatchObject({ ...expected, period: 'day' })
  const again = await anonymous.subscribe('scores.onLeaderboard', { gameMode: 'live' })
  expect(Number(event.seq)).toBeGreaterThan(stream.opening.seq)
  expect(again.opening.seq).toBeGreaterThanOrEqual(Number(event.seq))
  await expect(anonymous.subscribe('scores.onLeaderboard', { gameMode: '!' })).rejects.toMatchObject({
    code: 'VALIDATION_FAILED',
  })
})

test('bosses: a gallery counts how often each was defeated', async ({ rally, database: { db } }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const defeat = (boss: string) => ada.client.call<{ times: number }>('scores.defeatBoss', { boss })
  expect(await defeat('dragon')).toMatchObject({ boss: 'dragon', times: 1 })
  expect(await defeat('troll')).toMatchObject({ times: 1 })
  expect(await defeat('dragon')).toMatchObject({ times: 2 })
  const gallery = await ben.client.call('scores.bosses', { username: ada.player.username })
  expect(gallery).toMatchObject({
    items: [
      { boss: 'dragon', times: 2 },
      { boss: 'troll', times: 1 },
    ],
  })
  expect(await ada.client.call('scores.bosses', {})).toEqual(gallery)
  expect(await ben.client.call('scores.bosses', {})).toEqual({ items: [] })
  await expect(ben.client.call('scores.bosses', { username: 'nobody_here' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
  const anonymous = await openSocket(rally)
  await expect(anonymous.call('scores.bosses', {})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  await expect(anonymous.call('scores.defeatBoss', { boss: 'troll' })).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  })
  const others = Array.from({ length: 198 }, (_, n) => ({ userId: ada.player.id, boss: `boss-${n}` }))
  await db.bossDefeat.createMany({ data: others })
  await expect(defeat('one-more')).rejects.toMatchObject({ code: 'TOO_MANY_BOSSES' })
  expect(await defeat('troll')).toMatchObject({ times: 2 })
})

test('leaderboards of days and weeks that are over are deleted, those of all time stay', async ({
  rally,
  database: { db },
}) => {
  const [ada] = await newcomers(rally, 1)
  await ada.client.call('scores.submit', { gameMode: 'past', score: 5 })
  await db.$executeRaw`UPDATE leaderboards SET starts_on = starts_on - 14 WHERE game_mode = 'past' AND period <> 'all'`
  await runJob(rally, 'scores.deletePast')
  expect((await db.leaderboard.findMany({ where: { gameMode: 'past' } })).map(({ period }) => period)).toEqual(['all'])
  expect(await ada.client.call('scores.leaderboard', { gameMode: 'past', period: 'day' })).toMatchObject({
    entries: [],
  })
  expect(await ada.client.call('scores.leaderboard', { gameMode: 'past' })).toMatchObject({ players: 1 })
  await ada.client.call('scores.submit', { gameMode: 'past', score: 4 })
  const today = await ada.client.call('scores.leaderboard', { gameMode: 'past', period: 'day' })
  expect(today).toMatchObject({ players: 1, entries: [{ score: 4, rank: 1 }] })
  await db.leaderboardEntry.deleteMany({ where: { userId: ada.player.id } })
  await db.leaderboard.updateMany({ where: { gameMode: 'past' }, data: { createdAt: new Date(0) } })
  await runJob(rally, 'scores.deleteUnused')
  expect(await db.leaderboard.count({ where: { gameMode: 'past', period: 'all' } })).toBe(0)
})
