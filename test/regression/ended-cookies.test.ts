import { expect, test, vi } from 'vitest'
import { createCookies } from '../../src/server/session-cookie.ts'
import { connect } from '../support/client.ts'
import { enter, register, startRally } from '../support/server.ts'

const LOOK_UPS = new Set(['sessions.byId', 'sessions.end', 'sessions.extend'])

test('the cookie of an ended session causes no query, however often it is sent', async () => {
  await using rally = await startRally()
  const bob = await register(rally.url, 'bob')
  const { player, client } = await enter(rally.url, 'ada')
  await client.call('auth.logout')
  await client.closed
  const headers = { Cookie: player.cookie }
  expect((await fetch(`${rally.url}/session`, { method: 'DELETE', headers })).status).toBe(200)

  const { reserved, sql } = rally.app.platform.database
  const asked = [reserved, sql].flatMap((each) => [vi.spyOn(each, 'rows'), vi.spyOn(each, 'first')])
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => fetch(`${rally.url}/session`, { method: 'DELETE', headers })),
  )
  for (const { status } of answers) expect(status).toBe(200)
  for (let i = 0; i < 20; i++) {
    await using stranger = await connect(rally.url, { cookie: player.cookie })
    expect(stranger.welcome.user).toBeNull()
  }
  const lookUps = () =>
    asked.flatMap((spy) => spy.mock.calls.map(([{ name }]) => name)).filter((name) => LOOK_UPS.has(name))
  expect(lookUps()).toEqual([])
  await using known = await connect(rally.url, { cookie: bob.cookie })
  expect(known.welcome.user).toMatchObject({ username: 'bob' })
  expect(lookUps()).toEqual(['sessions.byId'])
})

test('neither does one past half its life, on a server that started later', async () => {
  await using rally = await startRally()
  const { player, client } = await enter(rally.url, 'ada')
  await client.call('auth.logout')
  await client.closed
  await using next = await startRally({ database: rally.database, config: { secrets: rally.config.secrets } })
  const { db } = next.app.platform.database
  const { id } = await db.session.findFirstOrThrow({ where: { userId: player.id } })
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 20 * 24 * 60 * 60_000 })
  const made = createCookies(rally.config.secrets.cookie, false).session(
    player.id,
    id,
    Date.now() + 30 * 24 * 60 * 60_000,
  )
  vi.useRealTimers()
  const headers = { Cookie: made.slice(0, made.indexOf(';')) }
  const asked = vi.spyOn(next.app.platform.database.reserved, 'rows')
  const first = vi.spyOn(next.app.platform.database.reserved, 'first')
  for (let i = 0; i < 20; i++) {
    expect((await fetch(`${next.url}/session`, { method: 'DELETE', headers })).status).toBe(200)
  }
  const names = [...asked.mock.calls, ...first.mock.calls].map(([{ name }]) => name)
  expect(names.filter((name) => LOOK_UPS.has(name))).toEqual(['sessions.byId'])
})
