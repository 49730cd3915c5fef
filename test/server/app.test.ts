import { expect, test } from 'vitest'
import { connect, within } from '../support/client.ts'
import { codeOf, enter, redeem, register, startRally } from '../support/server.ts'

test('a browser registers, comes back with its cookie, and leaves', async () => {
  await using rally = await startRally()
  const { player, client } = await enter(rally.url, 'ada')
  expect(client.welcome.user).toEqual({ id: player.id, username: 'ada' })
  expect(player.recoveryCodes).toHaveLength(10)
  expect(await client.call('auth.me')).toMatchObject({ id: player.id, username: 'ada' })
  await using second = await connect(rally.url, { cookie: player.cookie })

  const ended = await fetch(`${rally.url}/session`, { method: 'DELETE', headers: { Cookie: player.cookie } })
  expect(ended.status).toBe(200)
  for (const { closed } of [client, second]) {
    expect(await within(closed, 'the closing', 1000)).toMatchObject({ code: 4501 })
  }
  await using stranger = await connect(rally.url, { cookie: player.cookie })
  expect(stranger.welcome.user).toBeNull()
  expect(stranger.headers['set-cookie']?.[0]).toMatch(/^rally=; Max-Age=0/)
})

test('a ticket is taken once, and a forged one never', async () => {
  await using rally = await startRally()
  const { secret } = await register(rally.url, 'ada')
  await using client = await connect(rally.url)
  await client.call('auth.begin', { username: 'ada' })
  const { token } = await client.call<{ token: string }>('auth.verify', { code: codeOf(secret, 1) })
  expect(await redeem(rally.url, token)).toMatch(/^rally=/)
  await expect(redeem(rally.url, token)).rejects.toThrow(/401/)
  await expect(redeem(rally.url, `${token.slice(0, -4)}AAAA`)).rejects.toThrow(/401/)
})

test('clients are told the version that the server was built as', async () => {
  await using rally = await startRally({ config: { version: '7.8.9-test' } })
  await using client = await connect(rally.url)
  expect(client.welcome.version).toBe('7.8.9-test')
})

test('three servers in one process do not see each other', async () => {
  const rallies = await Promise.all([startRally(), startRally(), startRally()])
  const players = await Promise.all(rallies.map(({ url }) => register(url, 'ada')))
  expect(new Set(players.map(({ id }) => id)).size).toBe(3)
  const [first, second] = rallies
  await using stranger = await connect(second?.url ?? '', { cookie: players[0]?.cookie ?? '' })
  expect(stranger.welcome.user).toBeNull()
  expect((await fetch(`${first?.url}/readyz`)).status).toBe(200)
  await Promise.all(rallies.map((rally) => rally.stop()))
})

test('a server that stops closes its sockets with 4000 and accepts no more', async () => {
  await using rally = await startRally()
  await using client = await connect(rally.url)
  const stopped = rally.app.stop()
  expect(await within(client.closed, 'the closing')).toMatchObject({ code: 4000 })
  await stopped
  await expect(connect(rally.url)).rejects.toThrow(/ECONNREFUSED/)
})
