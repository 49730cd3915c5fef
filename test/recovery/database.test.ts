import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'vitest'
import { CONNECT_FOUR, playConnectFour, startLive } from '../matches/support.ts'
import { within } from '../support/client.ts'
import { newcomer, newcomers } from '../support/newcomers.ts'
import { ServerProcess } from './server-process.ts'

const ENVIRONMENT = { MATCH_COUNTDOWN_MS: '200', LIMIT_AUTH_PER_IP: '1000' }

test.concurrent('Rally restarts its own Postgres when it is killed, and a live match goes on to its stored result', async ({
  expect,
}) => {
  await using server = await ServerProcess.create(ENVIRONMENT)
  await server.start()
  const { client } = await newcomer(server)
  const follower = await startLive(client, { mode: 'local', ...CONNECT_FOUR })
  const match = follower.latest

  for (const _ of ['once', 'twice']) {
    await server.cutPostgres()
    const isReady = async () => (await fetch(`${server.url}/readyz`)).status
    await expect.poll(isReady, { timeout: 5_000 }).toBe(503)
    await expect.poll(isReady, { timeout: 15_000 }).toBe(200)
  }
  await playConnectFour([client], match.id)
  const over = await follower.over()
  expect(over).toMatchObject({ status: 'finished', winnerSeat: 0 })
  expect(await client.call('matches.getOne', { matchId: match.id })).toEqual(over)
  expect(await server.end('SIGTERM')).toBe(0)
}, 90_000)

test.concurrent('Rally ends with a message when its own Postgres cannot be restarted', async ({ expect }) => {
  await using server = await ServerProcess.create(ENVIRONMENT)
  await server.start()
  const data = join(server.dataDir, 'postgres')
  const ended = server.ended(60_000)
  await server.cutPostgres()
  await rename(data, `${data}.away`)
  const { code, lines } = await ended
  expect(code).toBe(1)
  expect(lines.join('\n')).toContain('The embedded Postgres ended and could not be started again')

  await rename(`${data}.away`, data)
  await server.start()
  const { client } = await newcomer(server)
  expect(client.welcome.user).not.toBeNull()
}, 120_000)

test.concurrent('Rally that loses its own Postgres while live matches may finish ends at once, with an error', async ({
  expect,
}) => {
  await using server = await ServerProcess.create({ ...ENVIRONMENT, DRAIN_SECONDS: '60' })
  await server.start()
  const [player, idle] = await newcomers(server, 2)
  await startLive(player.client, { mode: 'local', ...CONNECT_FOUR })
  const ended = server.ended(40_000)
  server.signal('SIGTERM')
  await within(idle.client.closed, 'the closing')
  const data = join(server.dataDir, 'postgres')
  await server.cutPostgres()
  await rename(data, `${data}.away`)
  expect((await ended).code).toBe(1)
  await rename(`${data}.away`, data)
}, 120_000)
