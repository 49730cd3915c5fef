import { expect } from 'vitest'
import { newcomers } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'

const test = rallyTest()

/** Requests as clients of other score servers send them. */
function restOf({ url }: { readonly url: string }, cookie = '') {
  return async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { ...(cookie && { Cookie: cookie }), ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: await answer.json() }
  }
}

const aTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)

test('scores in the names that existing clients use', async ({ rally }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const asAda = restOf(rally, ada.player.cookie)
  const asBen = restOf(rally, ben.player.cookie)
  const anyone = restOf(rally)
  const run = { score: 120, coins: 7, enemies_defeated: 3, distance: 99.5, level: 2, game_mode: 'Endless' }
  const posted = await asAda('POST', '/api/scores', { ...run, player_name: 'The Ada', platform: 'web' })
  const entry = { ...run, game_mode: 'endless', player_name: 'The Ada', username: ada.player.username, rank: 1 }
  expect(posted).toEqual({
    status: 200,
    body: { ...entry, id: expect.any(Number), is_best: true, created_at: aTime },
  })
  expect(await asBen('POST', '/api/scores', { score: 50, game_mode: 'endless', player_name: null })).toMatchObject({
    status: 200,
    body: { player_name: ben.player.username, coins: 0, rank: 2 },
  })
  const list = await anyone('GET', '/api/scores/leaderboard?limit=10&game_mode=endless')
  expect(list.body).toMatchObject([entry, { username: ben.player.username, rank: 2 }])
  expect(list.body[0]).toMatchObject({ id: posted.body.id, created_at: posted.body.created_at })
  expect(await anyone('GET', '/api/scores/leaderboard')).toEqual({ status: 200, body: [] })
  expect((await anyone('GET', '/api/scores/leaderboard?limit=0')).status).toBe(400)
  expect(await anyone('GET', '/api/scores/player/the%20ADA')).toMatchObject({ status: 200, body: [entry] })
  expect((await anyone('GET', `/api/scores/player/${ada.player.username}`)).status).toBe(404)
  expect(await anyone('GET', '/api/scores/player/nobody')).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } })
  expect(await anyone('GET', '/api/scores/rank/60?game_mode=endless')).toEqual({
    status: 200,
    body: { score: 60, game_mode: 'endless', rank: 2, players: 2 },
  })
  expect((await anyone('GET', '/api/scores/rank/many')).status).toBe(400)
  expect((await anyone('POST', '/api/scores', run)).status).toBe(401)
  const asAnother = await asBen('POST', '/api/scores', { ...run, player_name: ada.player.username })
  expect(asAnother).toMatchObject({ status: 403, body: { error: 'FORBIDDEN' } })
  expect(await asBen('POST', '/api/scores', { score: 'a lot' })).toMatchObject({
    status: 400,
    body: { data: { issues: [{ path: 'score' }] } },
  })
})

test('a token with the scope writes scores, by the header that existing clients send', async ({ rally }) => {
  const [ada] = await newcomers(rally, 1)
  const tokenOf = async (scopes: string[]) => {
    const made = await ada.client.call<{ token: string }>('auth.createToken', { name: scopes.join(), scopes })
    return made.token
  }
  const post = (token: string, path: string, body: object) =>
    fetch(`${rally.url}${path}`, {
      method: 'POST',
      headers: { 'X-API-Key': token, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
  const [writer, reader] = [await tokenOf(['scores:write']), await tokenOf(['read'])]
  const score = { score: 5, game_mode: 'by-token' }
  const posted = await post(writer, '/api/scores', score)
  expect(await posted.json()).toMatchObject({ username: ada.player.username, score: 5, rank: 1 })
  expect((await post(writer, '/api/bosses/troll/defeat', {})).status).toBe(200)
  expect((await post(reader, '/api/scores', score)).status).toBe(403)
  expect((await post(writer, '/api/save_game', { name: 'a' })).status).toBe(403)
  expect((await post('rally_nonsense', '/api/scores', score)).status).toBe(401)
})

test('bosses in the names that existing clients use', async ({ rally }) => {
  const [ada] = await newcomers(rally, 1)
  const asAda = restOf(rally, ada.player.cookie)
  expect(await asAda('GET', '/api/bosses')).toEqual({ status: 200, body: [] })
  const defeat = { boss: 'dragon', times: 1, first_defeated_at: aTime, last_defeated_at: aTime }
  expect(await asAda('POST', '/api/bosses/Dragon/defeat')).toEqual({ status: 200, body: defeat })
  expect(await asAda('POST', '/api/bosses/dragon/defeat', { hp: 0 })).toMatchObject({ body: { times: 2 } })
  const gallery = await restOf(rally)('GET', `/api/bosses?player_name=${ada.player.username}`)
  expect(gallery).toEqual({ status: 200, body: [{ ...defeat, times: 2 }] })
  expect((await restOf(rally)('GET', '/api/bosses')).status).toBe(401)
  expect((await restOf(rally)('POST', '/api/bosses/dragon/defeat')).status).toBe(401)
  expect((await asAda('POST', '/api/bosses/the%20dragon/defeat')).status).toBe(400)
})

test('save games keep what was sent, and are their own', async ({ rally }) => {
  const [ada, ben] = await newcomers(rally, 2)
  const asAda = restOf(rally, ada.player.cookie)
  const asBen = restOf(rally, ben.player.cookie)
  const save = { name: 'Slot 1', level: 4, inventory: ['sword', { potions: 2 }], version: '1.2' }
  expect(await asAda('POST', '/api/save_game', save)).toEqual({
    status: 200,
    body: { name: 'Slot 1', bytes: Buffer.byteLength(JSON.stringify(save)), created_at: aTime, updated_at: aTime },
  })
  const loaded = await asAda('GET', '/api/load_game/Slot%201')
  expect(loaded).toEqual({ status: 200, body: { ...save, created_at: aTime, updated_at: aTime } })
  expect(await asAda('POST', '/api/save_game', { ...save, level: 5 })).toMatchObject({ status: 200 })
  expect(await asAda('GET', '/api/load_game/Slot%201')).toMatchObject({ body: { level: 5 } })
  await asAda('POST', '/api/save_game', { player_name: 'ada', coins: 1 })
  expect(await asAda('GET', '/api/load_game/ada')).toMatchObject({ body: { name: 'ada', coins: 1 } })
  expect(await asBen('GET', '/api/load_game/Slot%201')).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } })
  expect((await restOf(rally)('GET', '/api/load_game/Slot%201')).status).toBe(401)
  expect((await restOf(rally)('POST', '/api/save_game', save)).status).toBe(401)
  expect((await asBen('DELETE', '/api/save_game/Slot%201')).status).toBe(404)
  expect(await asAda('DELETE', '/api/save_game/Slot%201')).toEqual({ status: 200, body: { name: 'Slot 1' } })
  expect((await asAda('GET', '/api/load_game/Slot%201')).status).toBe(404)
  expect(await ada.client.call('storage.list', { prefix: 'save_game/' })).toMatchObject({
    items: [{ key: 'save_game/ada' }],
  })
})

test('a value of 64 KiB fits through HTTP, one byte more does not', async ({ rally }) => {
  const [ada] = await newcomers(rally, 1)
  const put = (letters: number) =>
    restOf(rally, ada.player.cookie)('POST', '/rpc/storage.put', { key: 'large', value: 'x'.repeat(letters) })
  expect(await put(65_534)).toMatchObject({ status: 200, body: { bytes: 65_536 } })
  expect(await put(65_535)).toMatchObject({ status: 413, body: { error: 'VALUE_TOO_LARGE' } })
})
