import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { newcomer, openSocket } from '../support/newcomers.ts'
import { CONNECT_FOUR, create, follow, startLive, startQuickRally } from './support.ts'

test('a match whose only player is gone is aborted', async () => {
  await using rally = await startQuickRally({ emptyMs: 800 })
  const [creator, other] = [await newcomer(rally), await newcomer(rally)]
  await using watcher = await openSocket(rally)
  const match = await create(creator.client)
  const kept = await create(other.client)
  const follower = await follow(watcher, match.id)
  await creator.drop()
  const empty = await follower.until(({ players }) => players[0]?.connected === false)
  expect(empty.status).toBe('waiting')
  const over = await follower.over()
  expect(over).toMatchObject({ status: 'aborted', endReason: 'nobody-came' })
  expect((await other.client.request('matches.join', { code: match.code })).error).toBe('MATCH_CLOSED')
  // A match that waits as long with its player connected is not aborted.
  expect(await other.client.call('matches.getOne', { matchId: kept.id })).toMatchObject({ status: 'waiting' })
})

test('a match that nobody joins is aborted after a while', async () => {
  await using rally = await startQuickRally({ emptyMs: 400, maxWaitMs: 1_000 })
  const { client } = await newcomer(rally)
  const match = await create(client)
  const follower = await follow(client, match.id)
  const over = await follower.over()
  expect(over).toMatchObject({ status: 'aborted', endReason: 'nobody-came' })
  expect((over.finishedAt ?? 0) - over.createdAt).toBeGreaterThanOrEqual(1_000)
})

test('a turn-based match in which nobody moves is aborted', async () => {
  await using rally = await startQuickRally({ maxTurnMs: 700 })
  const { client } = await newcomer(rally)
  const follower = await startLive(client, { mode: 'local', ...CONNECT_FOUR })
  expect(await follower.over()).toMatchObject({ status: 'aborted', endReason: 'too-long' })
})

test('no user has more open matches than the limit, however they ask', async () => {
  await using rally = await startQuickRally({ maxActive: 3 })
  const { player, client } = await newcomer(rally)
  const [host, second] = [await newcomer(rally), await openSocket(rally, player)]
  const open = await create(host.client)
  const asks = Array.from({ length: 12 }, (_, index) => {
    const socket = index % 2 === 0 ? client : second
    return index % 3 === 0
      ? socket.request('matches.join', { matchId: open.id })
      : socket.request('matches.create', { game: 'pong', mode: 'casual' })
  })
  const answers = await Promise.all(asks)
  const refused = answers.filter(({ error }) => error !== undefined)
  expect(new Set(refused.map(({ error }) => error))).toEqual(new Set(['TOO_MANY_MATCHES']))
  const matchIds = new Set(answers.flatMap(({ error, data }) => (error === undefined ? [data.id] : [])))
  expect(matchIds.size).toBe(3)
  // A match that ends makes room. The host's match may be live by now, so another one is left.
  const matchId = [...matchIds].find((id) => id !== open.id)
  await client.call('matches.leave', { matchId })
  await client.call('matches.create', { game: 'pong', mode: 'casual' })
  // Joining needs room, too.
  const another = await create((await newcomer(rally)).client)
  for (const by of [{ matchId: another.id }, { code: another.code }]) {
    expect((await client.request('matches.join', by)).error).toBe('TOO_MANY_MATCHES')
  }
  expect(await client.call('matches.getOne', { code: another.code })).toEqual(another)
})

test('a write that is retried has one effect and one answer', async () => {
  await using rally = await startQuickRally()
  const { player, client } = await newcomer(rally)
  await using second = await openSocket(rally, player)
  const eid = randomUUID()
  const ask = { game: 'pong', mode: 'casual' }
  const answers = await Promise.all([
    client.request('matches.create', ask, { eid }),
    second.request('matches.create', ask, { eid }),
    client.request('matches.create', ask, { eid }),
  ])
  const later = await second.request('matches.create', ask, { eid })
  expect(new Set([...answers, later].map(({ data }) => data.id)).size).toBe(1)
  const { items } = await client.call<{ items: unknown[] }>('matches.list', {})
  expect(items).toHaveLength(1)
})
