import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Match } from '../../src/modules/matches/types.ts'
import { CONNECT_FOUR, create, follow, playToEnd, startLive } from '../matches/support.ts'
import { within } from '../support/client.ts'
import { type Newcomer, newcomer } from '../support/newcomers.ts'
import { ServerProcess } from './server-process.ts'

const ENVIRONMENT = { DRAIN_SECONDS: '1', MATCH_COUNTDOWN_MS: '200', MATCH_EMPTY_MS: '4000', LIMIT_AUTH_PER_IP: '1000' }
/** So long after the restart no match of the dead server is live any more. */
const SETTLED_MS = 10_000

const players = (server: ServerProcess, count: number) =>
  Promise.all(Array.from({ length: count }, () => newcomer(server)))

/** Two players in a live match. */
async function startTwo([first, second]: readonly [Newcomer, Newcomer]): Promise<Match> {
  const match = await create(first.client)
  await second.client.call('matches.join', { matchId: match.id })
  return (await follow(first.client, match.id)).live()
}

describe('after a kill -9', () => {
  test.concurrent.each([
    ['of the server', false],
    ['of the server and of its database', true],
  ])(
    '%s every result is there, nothing is live that nobody runs, and nobody is stuck',
    async (_, isPowerCut) => {
      await using server = await ServerProcess.create(ENVIRONMENT)
      await server.start()
      const [champion, left, right, lonely, host, absent] = await players(server, 6)
      if (!champion || !left || !right || !lonely || !host || !absent) throw new Error('too few players')
      const everybody = [champion, left, right, lonely, host]

      const finished = [
        await playToEnd(champion.client),
        await playToEnd(champion.client),
        await playToEnd(lonely.client),
      ]
      const live = await Promise.all([
        startLive(champion.client, { mode: 'local', ...CONNECT_FOUR }).then(({ latest }) => latest),
        startLive(lonely.client, { mode: 'bot', options: { pointsToWin: 21 } }).then(({ latest }) => latest),
        startTwo([left, right]),
      ])
      const eid = randomUUID()
      const ask = { game: 'pong', mode: 'casual' }
      const first = await host.client.request<Match>('matches.create', ask, { eid })
      const forgotten = await create(absent.client)

      expect(await server.end('SIGKILL')).toBeNull()
      if (isPowerCut) await server.cutPostgres()
      await server.start()
      const backAt = Date.now()
      await Promise.all(everybody.map((each) => each.comeBack()))

      // Sessions are still valid.
      expect(everybody.map(({ client }) => client.welcome.user?.id)).toEqual(everybody.map(({ player }) => player.id))
      // An answered write is not executed again.
      expect(await host.client.request('matches.create', ask, { eid })).toMatchObject({ data: first.data })
      for (const match of finished) {
        expect(await champion.client.call('matches.getOne', { matchId: match.id })).toEqual(match)
      }
      const history = await champion.client.call<{ items: Match[] }>('matches.history')
      expect(history.items).toEqual([finished[1], finished[0]])

      for (const { id, version } of live) {
        const follower = await follow(champion.client, id)
        const over = await follower.over(backAt + SETTLED_MS - Date.now())
        expect(over).toMatchObject({ status: 'aborted', endReason: 'node-lost', winnerSeat: null })
        expect(over.version).toBeGreaterThan(version)
      }
      // A waiting match can be joined when its player is connected again.
      const waiting = await follow(host.client, first.data.id)
      await waiting.until(({ players: [seat] }) => seat?.connected === true)
      await left.client.call('matches.join', { code: first.data.code })
      await waiting.live()
      // A waiting match whose player does not come back is aborted.
      const given = await follow(champion.client, forgotten.id)
      expect(await given.over(20_000)).toMatchObject({ status: 'aborted', endReason: 'nobody-came' })
      // Everybody can play on.
      for (const { client } of [champion, right, lonely]) await startLive(client, { mode: 'bot' })
      expect(await playToEnd(champion.client)).toMatchObject({ status: 'finished', winnerSeat: 0 })
    },
    180_000,
  )
})

test.concurrent('a SIGTERM closes the sockets with 4000 and aborts the live matches', async () => {
  await using server = await ServerProcess.create(ENVIRONMENT)
  await server.start()
  const [first, second, third] = await players(server, 3)
  if (!first || !second || !third) throw new Error('too few players')
  const live = [await startTwo([first, second]), (await startLive(third.client, { mode: 'bot' })).latest]
  const waiting = await create(third.client)

  const begunAt = Date.now()
  const sockets = Promise.all([first, second, third].map(({ client }) => client.closed))
  expect(await server.end('SIGTERM')).toBe(0)
  expect(Date.now() - begunAt).toBeLessThan(10_000)
  for (const { code } of await within(sockets, 'the closing')) expect(code).toBe(4000)

  await server.start()
  await Promise.all([first, second, third].map((each) => each.comeBack()))
  for (const { id } of live) {
    // It was over before the server stopped.
    expect(await first.client.call('matches.getOne', { matchId: id })).toMatchObject({
      status: 'aborted',
      endReason: 'node-left',
    })
  }
  const joined = await follow(third.client, waiting.id)
  await joined.until(({ players: [seat] }) => seat?.connected === true)
  await second.client.call('matches.join', { matchId: waiting.id })
  await joined.live()
}, 120_000)
