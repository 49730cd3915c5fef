import { expect, test } from 'vitest'
import { CONNECT_FOUR, startLive } from '../matches/support.ts'
import { within } from '../support/client.ts'
import { newcomer, newcomers } from '../support/newcomers.ts'
import { ServerProcess } from './server-process.ts'

/** So many that a pool of ten connections uses all of them. */
const CALLS = 40

test('a SIGTERM while requests are under way logs no error', async () => {
  await using server = await ServerProcess.create({ LIMIT_AUTH_PER_IP: '1000', DATABASE_POOL_SIZE: '10' })
  for (let stop = 0; stop < 4; stop++) {
    await server.start()
    const ended = server.ended(15_000)
    const { client } = await newcomer(server)
    const answered = client.call('matches.list')
    for (let call = 1; call < CALLS; call++) client.request('matches.list').catch(() => undefined)
    await answered
    expect(await server.end('SIGTERM')).toBe(0)
    const { lines } = await ended
    expect(lines.filter((line) => line.includes('"level"'))).toEqual([])
  }
}, 90_000)

test('a second SIGTERM ends the server at once', async () => {
  await using server = await ServerProcess.create({ DRAIN_SECONDS: '60', MATCH_COUNTDOWN_MS: '0' })
  await server.start()
  const [player, idle] = await newcomers(server, 2)
  await startLive(player.client, { mode: 'local', ...CONNECT_FOUR })
  server.signal('SIGTERM')
  // The node has left the time behind in which two signals count as one.
  await within(idle.client.closed, 'the closing')
  expect(await player.client.call('rpc.ping')).toEqual({})
  expect(await server.end('SIGTERM')).toBe(1)
}, 60_000)
