import { expect } from 'vitest'
import { type Newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'
import { register } from '../support/server.ts'

const test = rallyTest()

interface Listed {
  readonly players: number
  readonly entries: readonly Entry[]
}
interface Entry {
  readonly playerName: string
  readonly username: string
  readonly score: number
  readonly rank: number
}

const shown = ({ entries }: Listed) => entries.map(({ rank, playerName, score }) => `${rank} ${playerName} ${score}`)

function boardOf(of: Newcomer, gameMode: string) {
  return {
    submit: (playerName: string | undefined, score: number) =>
      of.client.call<{ isBest: boolean; score: Entry }>('scores.submit', { gameMode, score, playerName }),
    list: (data: object = {}) => of.client.call<Listed>('scores.leaderboard', { gameMode, ...data }),
  }
}

test('a back end with one token submits for many players, who are listed by their names', async ({ rally }) => {
  const [studio] = await newcomers(rally, 1)
  const made = await studio.client.call<{ token: string }>('auth.createToken', {
    name: 'back end',
    scopes: ['scores:write'],
  })
  const post = async (player_name: string, score: number) => {
    const answer = await fetch(`${rally.url}/api/scores`, {
      method: 'POST',
      headers: { 'X-API-Key': made.token, 'Content-Type': 'application/json' },
      body: JSON.stringify({ player_name, score, game_mode: 'studio' }),
    })
    return answer.json()
  }
  const get = async (path: string) => {
    const answer = await fetch(`${rally.url}${path}`)
    return { status: answer.status, body: await answer.json() }
  }
  await post('Zoe', 50)
  await post('Émile', 70)
  await post('Bob', 50)
  expect(await post('zOE', 40)).toMatchObject({ is_best: false, rank: 4 })
  expect(await post('ÉMILE', 80)).toMatchObject({ is_best: true, rank: 1 })
  const entry = { username: studio.player.username, game_mode: 'studio' }
  const listed = await get('/api/scores/leaderboard?game_mode=studio')
  // Equal scores share a rank, and the earlier one is first.
  expect(listed.body).toMatchObject([
    { ...entry, player_name: 'ÉMILE', score: 80, rank: 1 },
    { ...entry, player_name: 'Zoe', score: 50, rank: 2 },
    { ...entry, player_name: 'Bob', score: 50, rank: 2 },
  ])
  expect(listed.body).toHaveLength(3)
  expect(await get('/api/scores/rank/50?game_mode=studio')).toMatchObject({ body: { rank: 2, players: 3 } })
  expect(await get('/api/scores/player/zoe')).toMatchObject({
    body: [{ score: 50 }, { player_name: 'zOE', score: 40 }],
  })
  expect((await get(`/api/scores/player/${studio.player.username}`)).status).toBe(404)
})

test('the own entry is that of the own name, else the best one', async ({ rally }) => {
  const [studio, other] = await newcomers(rally, 2)
  const { username } = studio.player
  const { submit, list } = boardOf(studio, 'own')
  for (const [at, name] of ['first', 'second', 'third', 'fourth', 'fifth'].entries()) await submit(name, 90 - 10 * at)
  await boardOf(other, 'own').submit(undefined, 95)
  const around = async (limit: number) => shown(await list({ around: 'me', limit }))
  expect(await around(1)).toEqual(['2 first 90'])
  expect(await around(3)).toEqual([`1 ${other.player.username} 95`, '2 first 90', '3 second 80'])
  const best = () => other.client.call('scores.best', { username, gameMode: 'own' })
  expect(await best()).toEqual({ items: [] })
  expect(await submit(username.toUpperCase(), 55)).toMatchObject({
    isBest: true,
    score: { playerName: username, rank: 6 },
  })
  expect(await around(1)).toEqual([`6 ${username} 55`])
  expect(await around(3)).toEqual(['5 fourth 60', `6 ${username} 55`, '7 fifth 50'])
  expect(await best()).toMatchObject({ items: [{ playerName: username, score: 55, rank: 6 }] })
  expect(await boardOf(other, 'own').list({ around: 'me', limit: 1 })).toMatchObject({
    players: 7,
    entries: [{ score: 95 }],
  })
})

test('a name that somebody registers is theirs from then on; what was submitted under it before stays', async ({
  rally,
}) => {
  const [studio] = await newcomers(rally, 1)
  const { submit, list } = boardOf(studio, 'registered')
  await submit('Late_Comer', 10)
  const ofPlayer = () => studio.client.call<{ items: Entry[] }>('scores.ofPlayer', { name: 'late_comer' })
  expect((await ofPlayer()).items).toMatchObject([{ playerName: 'Late_Comer', score: 10 }])
  const late = await openSocket(rally, await register(rally.url, 'late_comer'))
  await expect(submit('late_COMER', 99)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await expect(ofPlayer()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await late.call('scores.submit', { gameMode: 'registered', score: 5 })
  expect((await ofPlayer()).items).toMatchObject([{ username: 'late_comer', score: 5 }])
  expect((await list()).entries).toMatchObject([
    { playerName: 'Late_Comer', username: studio.player.username },
    { playerName: 'late_comer', username: 'late_comer' },
  ])
})

test('an account has at most 10,000 other names in a mode, and 20,000 in all', async ({ rally, database: { db } }) => {
  const [studio, other] = await newcomers(rally, 2)
  const fill = async (gameMode: string) => {
    await boardOf(studio, gameMode).submit('name-1', 1)
    await db.$executeRaw`
      INSERT INTO leaderboard_entries (leaderboard_id, user_id, player_key, player_name, score_id, score, scored_at, coins,
        enemies_defeated, distance, level)
      SELECT leaderboards.id, ${studio.player.id}, 'name-' || n, 'Name-' || n, 1000000 + n, 5, now(), 0, 0, 0, 0
      FROM leaderboards, generate_series(2, 9999) AS n WHERE game_mode = ${gameMode} AND period = 'all'`
  }
  const full = { code: 'TOO_MANY_NAMES' }
  await fill('names-1')
  const { submit, list } = boardOf(studio, 'names-1')
  await submit('name-10000', 1)
  await expect(submit('one more', 1)).rejects.toMatchObject(full)
  expect(await list({ limit: 1 })).toMatchObject({ players: 10_000 })
  // Known names and the own one go on, as do other accounts and other modes.
  expect(await submit('NAME-77', 9)).toMatchObject({ isBest: true, score: { rank: 1 } })
  expect(await submit(undefined, 6)).toMatchObject({ isBest: true, score: { rank: 2 } })
  expect(await boardOf(other, 'names-1').submit('one more', 6)).toMatchObject({ isBest: true })
  await fill('names-2')
  await boardOf(studio, 'names-2').submit('name-10000', 1)
  await expect(boardOf(studio, 'names-3').submit('name-1', 1)).rejects.toMatchObject(full)
  expect(await boardOf(studio, 'names-3').submit(undefined, 1)).toMatchObject({ isBest: true })
})

test('all names of an account are exported, and go with it; followers see it', async ({ rally, database: { db } }) => {
  const [studio, other] = await newcomers(rally, 2)
  const { submit } = boardOf(studio, 'removed')
  await submit('Zoe', 30)
  await submit('Bob', 20)
  await submit(undefined, 10)
  // No longer among the best that are kept, but listed today.
  await db.score.deleteMany({ where: { userId: studio.player.id, playerName: 'Bob' } })
  await boardOf(other, 'removed').submit(undefined, 15)
  const { data } = await studio.client.call<{ data: { scores: { scores: object[] } } }>('users.export')
  expect(data.scores.scores).toMatchObject([
    { playerName: 'Zoe', score: 30 },
    { playerName: 'Bob', score: 20 },
    { playerName: null, score: 10 },
  ])
  const follow = (period: string) =>
    other.client.subscribe<Listed>('scores.onLeaderboard', { gameMode: 'removed', period })
  const streams = await Promise.all(['all', 'week', 'day'].map(follow))
  await studio.client.call('users.remove')
  for (const { opening, events } of streams) {
    expect(opening).toMatchObject({ snapshot: { players: 4 } })
    expect((await events.next()).data).toMatchObject({ players: 1, entries: [{ score: 15, rank: 1 }] })
  }
  expect(await db.score.count({ where: { userId: studio.player.id } })).toBe(0)
  expect(await boardOf(other, 'removed').list()).toMatchObject({ players: 1 })
})
