import { expect, test, vi } from 'vitest'
import { connect } from '../support/client.ts'
import { enter, register, startRally } from '../support/server.ts'

const LOOK_UPS = new Set(['sessions.byId', 'sessions.end', 'sessions.extend'])

test('the cookie of an ended session asks the database nothing, however often it is sent', async () => {
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
