import { test as base, describe, expect } from 'vitest'
import { connect } from '../support/client.ts'
import { type Rig, startRig } from '../support/rig.ts'
import { routed } from '../support/routed-module.ts'

const test = base.extend<{ rig: Rig }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
  rig: async ({}, use) => {
    await using rig = await startRig({ modules: [routed], limits: { anonymousReads: 2 } })
    await use(rig)
  },
})

const get = (rig: Rig, path: string, headers: Record<string, string> = {}) => fetch(`${rig.url}${path}`, { headers })
const seen = async (answer: Response) => ({ status: answer.status, body: await answer.json() })

async function post(rig: Rig, path: string, body: unknown, headers: Record<string, string> = {}) {
  const sent = { 'Content-Type': 'application/json', ...headers }
  return fetch(`${rig.url}${path}`, { method: 'POST', body: JSON.stringify(body), headers: sent })
}

describe('a route of a method', () => {
  test('reads path, query and body in its own names, and answers in them', async ({ rig }) => {
    const cookie = await rig.cookieOf('ada')
    const added = await post(rig, '/api/scores/z%C3%B6e', { game_mode: 'hard' }, { Cookie: cookie })
    expect(await seen(added)).toEqual({ status: 201, body: { id: 3, game_mode: 'hard', player: 'zöe' } })
    const bare = await fetch(`${rig.url}/api/scores/bo`, { method: 'POST', headers: { Cookie: cookie } })
    expect(await seen(bare)).toMatchObject({ status: 201, body: { game_mode: 'classic' } })
    expect(await seen(await get(rig, '/api/scores/top?limit=2'))).toEqual({ status: 200, body: ['all 0', 'all 1'] })
    expect(await seen(await get(rig, '/api/scores/bo'))).toEqual({ status: 200, body: ['bo 0'] })
  })

  test('has the access, the errors and the execution once of its method', async ({ rig }) => {
    expect(await seen(await post(rig, '/api/scores/bo', { game_mode: 7 }))).toMatchObject({ status: 401 })
    const cookie = await rig.cookieOf('ada')
    const invalid = await post(rig, '/api/scores/bo', { game_mode: 7 }, { Cookie: cookie })
    expect(await seen(invalid)).toMatchObject({
      status: 400,
      body: { error: 'VALIDATION_FAILED', data: { issues: [{ path: 'game_mode' }] } },
    })
    expect((await post(rig, '/api/scores/nobody', {}, { Cookie: cookie })).status).toBe(404)
    const closed = await post(rig, '/api/scores/closed', {}, { Cookie: cookie })
    expect(await seen(closed)).toMatchObject({ status: 409, body: { error: 'SCORE_CLOSED' } })
    expect((await get(rig, '/api/scores/top?limit=many')).status).toBe(400)
    expect((await get(rig, '/api/scores/top', { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403)

    const once = { Cookie: cookie, 'Idempotency-Key': 'k1' }
    expect(await (await post(rig, '/api/scores/bo', { game_mode: 'a' }, once)).json()).toMatchObject({ game_mode: 'a' })
    expect(await (await post(rig, '/api/scores/bo', { game_mode: 'b' }, once)).json()).toMatchObject({ game_mode: 'a' })
    await using client = await connect(rig.url, { cookie })
    const again = await client.request('routed.add', { player: 'bo', gameMode: 'c' }, { eid: 'k1' })
    expect(again.data).toEqual({ id: 3, gameMode: 'a' })
  })

  test('takes the larger body that its method takes, and paths that are near nothing are 404 and 405 in JSON', async ({
    rig,
  }) => {
    const cookie = await rig.cookieOf('ada')
    const sent = (length: number) => post(rig, '/api/scores/bo', { note: 'x'.repeat(length) }, { Cookie: cookie })
    expect((await sent(90_000)).status).toBe(201)
    expect((await sent(110_000)).status).toBe(413)
    expect(await seen(await get(rig, '/api/nothing'))).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } })
    expect(await seen(await get(rig, '/api/scores/%E0%A4%A'))).toMatchObject({ status: 400 })
    expect(await seen(await get(rig, '/api/scores/a%00b'))).toMatchObject({ status: 400 })
    expect((await get(rig, '/api/scores/')).status).toBe(404)
    const removed = await fetch(`${rig.url}/api/scores/bo`, { method: 'DELETE' })
    expect([removed.status, removed.headers.get('allow')]).toEqual([405, 'POST, OPTIONS, GET, HEAD'])
  })
})

describe('a file route', () => {
  test('answers bytes with its headers, 304 to who has them, and errors as JSON', async ({ rig }) => {
    const picture = await get(rig, '/pictures/ada')
    expect([picture.status, await picture.text()]).toEqual([200, '<svg>ada</svg>'])
    expect(picture.headers.get('content-type')).toBe('image/svg+xml')
    expect(picture.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect((await get(rig, '/pictures/ada', { 'If-None-Match': '"ada"' })).status).toBe(304)
    expect(await seen(await get(rig, '/pictures/nobody'))).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } })
    const broken = await seen(await get(rig, '/pictures/broken'))
    expect(broken).toEqual({ status: 500, body: { error: 'INTERNAL', data: { message: expect.any(String) } } })
    expect(rig.dispatcher.counted.find(({ type }) => type === 'routed./pictures/{name}')).toMatchObject({
      stats: {
        ok: 2,
        failed: new Map([
          ['NOT_FOUND', 1],
          ['INTERNAL', 1],
        ]),
      },
    })
  })

  test('a page of pictures waits for its turn, and an address has a limit', async ({ rig }) => {
    const page = await Promise.all(Array.from({ length: 30 }, (_, at) => get(rig, `/pictures/p${at}`)))
    expect(page.map(({ status }) => status)).toEqual(Array(30).fill(200))
    const more = await Promise.all(Array.from({ length: 11 }, (_, at) => get(rig, `/pictures/q${at}`)))
    expect(more.filter(({ status }) => status === 429)).toHaveLength(1)
  })

  test('is no method of a socket', async ({ rig }) => {
    await using client = await connect(rig.url)
    expect(await client.request('routed./pictures/{name}', { name: 'ada' })).toMatchObject({ error: 'BAD_ENVELOPE' })
  })
})

test('a server does not start with routes that contradict each other', async () => {
  const [add, list] = routed.routes ?? []
  if (!add || !list) throw new Error('there are no routes')
  const start = (routes: (typeof routed)['routes']) => startRig({ modules: [{ ...routed, routes: routes ?? [] }] })
  await expect(start([add, add])).rejects.toThrow('Two routes answer POST /api/scores/{player}')
  for (const path of ['api', '/{first}/x', '/api//x', '/api/{a}{b}']) {
    await expect(start([{ ...list, path }])).rejects.toThrow(`${path} is no path of a route`)
  }
  await expect(startRig({ modules: [{ ...routed, methods: {} }] })).rejects.toThrow('calls no method of the module')
})
