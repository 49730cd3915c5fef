import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'vitest'
import type { Match } from '../../src/modules/matches/types.ts'
import { CONNECT_FOUR, playConnectFour, startLive } from '../matches/support.ts'
import { createTestDatabase } from '../support/database.ts'
import { newcomer } from '../support/newcomers.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { ServerProcess } from './server-process.ts'

/** How long a stop may take: DRAIN_SECONDS for live matches, and the rest for closing everything. */
const DRAIN_SECONDS = 1
const STOP_MS = DRAIN_SECONDS * 1_000 + 7_500

/** A server whose Postgres is behind a network that can be cut, or hang. */
async function startBehindProxy() {
  const database = await createTestDatabase()
  const url = new URL(database.url)
  const target = { host: url.hostname, port: Number(url.port) }
  const proxy = await startTcpProxy(target)
  url.host = `127.0.0.1:${proxy.port}`
  const server = await ServerProcess.create({
    DATABASE_URL: url.href,
    DRAIN_SECONDS: String(DRAIN_SECONDS),
    MATCH_COUNTDOWN_MS: '200',
    LIMIT_AUTH_PER_IP: '1000',
    LOG_LEVEL: 'fatal',
  })
  await server.start()
  return {
    server,
    proxy,
    back: () => proxy.leadTo(target),
    files: () => readdir(join(server.dataDir, 'results')).catch((): string[] => []),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await proxy.close()
      await database.drop()
    },
  }
}

test.concurrent('a SIGTERM ends the server in time while Postgres hangs, and the next start stores the results', async ({
  expect,
}) => {
  await using world = await startBehindProxy()
  const { server, proxy } = world
  const player = await newcomer(server)
  const decided = (await startLive(player.client, { mode: 'local', ...CONNECT_FOUR })).latest
  const undecided = (await startLive(player.client, { mode: 'local', ...CONNECT_FOUR })).latest
  proxy.hang()
  await playConnectFour([player.client], decided.id)

  const begunAt = performance.now()
  expect(await server.end('SIGTERM')).toBe(0)
  expect(performance.now() - begunAt).toBeLessThan(STOP_MS)
  expect(await world.files()).toEqual([`${decided.id}.1.json`])

  world.back()
  await server.start()
  await player.comeBack()
  const read = (matchId: string) => player.client.call<Match>('matches.getOne', { matchId })
  await expect.poll(() => read(decided.id), { timeout: 5_000 }).toMatchObject({ status: 'finished', winnerSeat: 0 })
  await expect.poll(world.files).toEqual([])
  // Meanwhile the process that ran it counts as gone. That does not change the result.
  await expect.poll(() => read(undecided.id), { timeout: 15_000 }).toMatchObject({ endReason: 'node-lost' })
  expect(await read(decided.id)).toMatchObject({ status: 'finished', players: [{ score: 1 }, { score: 0 }] })
  expect(await player.client.call('live.getReplay', { matchId: decided.id })).toMatchObject({ ticks: 7 })
}, 90_000)

test.concurrent('a result outlives a kill -9 while Postgres is away', async ({ expect }) => {
  await using world = await startBehindProxy()
  const { server, proxy } = world
  const player = await newcomer(server)
  const { id } = (await startLive(player.client, { mode: 'local', ...CONNECT_FOUR })).latest
  proxy.leadTo(undefined)
  await playConnectFour([player.client], id)
  await expect.poll(world.files, { timeout: 10_000 }).toEqual([`${id}.1.json`])
  expect(await server.end('SIGKILL')).toBeNull()

  world.back()
  await server.start()
  await player.comeBack()
  const read = () => player.client.call<Match>('matches.getOne', { matchId: id })
  await expect.poll(read, { timeout: 5_000 }).toMatchObject({ status: 'finished', winnerSeat: 0 })
  await expect.poll(world.files).toEqual([])
}, 90_000)
