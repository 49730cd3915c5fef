import { describe, expect, test } from 'vitest'
import type { MemoryCluster } from '../../src/bus/memory.ts'
import { CONNECT_FOUR, create, follow, playConnectFour, startLive, startQuickRally } from '../matches/support.ts'
import { connect, refusal, within } from '../support/client.ts'
import { createTestDatabase } from '../support/database.ts'
import { newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { startRig } from '../support/rig.ts'
import { startRally } from '../support/server.ts'

/** Longer than any of these tests takes. */
const drainMs = 60_000
const LOCAL = { mode: 'local', ...CONNECT_FOUR }

test('a server that was told to stop is not ready at once, and serves until its grace period is over', async () => {
  await using rally = await startRally({ config: { drainGraceMs: 1_500 } })
  await using early = await connect(rally.url)
  const stopped = rally.stop()
  const ready = await fetch(`${rally.url}/readyz`)
  expect([ready.status, await ready.json()]).toEqual([503, { status: 'draining' }])
  expect((await fetch(`${rally.url}/healthz`)).status).toBe(200)
  await using late = await connect(rally.url)
  expect(await late.call('rpc.ping')).toEqual({})

  for (const { closed } of [early, late]) expect(await within(closed, 'the closing')).toMatchObject({ code: 4000 })
  await stopped
  await expect(connect(rally.url)).rejects.toThrow(/ECONNREFUSED/)
})

test('a server without live matches and requests does not wait', async () => {
  await using rally = await startRally({ config: { drainMs } })
  const player = await newcomer(rally)
  await create(player.client)
  await within(rally.stop(), 'the stop')
})

test('sockets are told to come back in batches', async () => {
  await using rig = await startRig()
  const clients = await Promise.all(Array.from({ length: 30 }, () => connect(rig.url)))
  const drained = rig.dispatcher.drain(drainMs)
  // 500 a second, in steps of 20 ms.
  expect(rig.dispatcher.connections.size).toBe(20)
  await within(drained, 'the end of the last batch')
  for (const { closed } of clients) expect(await within(closed, 'the closing')).toMatchObject({ code: 4000 })
})

describe('on a single node', () => {
  test('a live match is played to its end, and sockets that are no part of it are closed before', async () => {
    await using rally = await startQuickRally({}, { config: { drainMs } })
    const [player, lobby] = await newcomers(rally, 2)
    const { id } = (await startLive(player.client, LOCAL)).latest
    const spectator = await openSocket(rally)
    const seen = await spectator.subscribe<{ status: string }>('live.onState', { matchId: id })
    const stopped = rally.stop()
    expect(await within(lobby.client.closed, 'the closing')).toMatchObject({ code: 4000 })

    expect((await refusal(rally.url)).status).toBe(503)
    await player.drop()
    await player.comeBack()
    const result = await follow(player.client, id)
    await playConnectFour([player.client], id)
    expect(await result.over()).toMatchObject({ status: 'finished', winnerSeat: 0 })
    await seen.events.next(({ data }) => data.status === 'finished')
    for (const { closed } of [player.client, spectator]) {
      expect(await within(closed, 'the closing')).toMatchObject({ code: 4000 })
    }
    await within(stopped, 'the stop')
  })

  test('no match begins any more', async () => {
    await using rally = await startQuickRally({ countdownMs: 0 }, { config: { drainMs } })
    const player = await newcomer(rally)
    const live = (await startLive(player.client, LOCAL)).latest
    void rally.stop()
    const next = await follow(player.client, (await create(player.client, LOCAL)).id)
    await playConnectFour([player.client], live.id)
    await within(player.client.closed, 'the closing')
    expect(next.catchUp()).toMatchObject({ status: 'waiting' })
    expect(next.latest.startsAt).not.toBeNull()
  })

  test('players of a match that does not finish in time are told that it was aborted', async () => {
    await using rally = await startQuickRally({}, { config: { drainMs: 300 } })
    const player = await newcomer(rally)
    const match = await startLive(player.client, LOCAL)
    void rally.stop()
    expect(await match.over()).toMatchObject({ status: 'aborted', endReason: 'node-left' })
    expect(await within(player.client.closed, 'the closing')).toMatchObject({ code: 4000 })
  })
})

describe('with another node', () => {
  async function startTwo() {
    const database = await createTestDatabase()
    const cluster: MemoryCluster = new Map()
    const times = { countdownMs: 1_000, comeBackMs: 30_000 }
    const leaving = await startQuickRally(times, { database, cluster, config: { drainMs } })
    const { secrets } = leaving.config
    const staying = await startQuickRally(times, { database, cluster, config: { secrets, drainMs: 0 } })
    return {
      leaving,
      staying,
      async [Symbol.asyncDispose]() {
        await Promise.all([leaving.stop(), staying.stop()])
        await database.drop()
      },
    }
  }

  test('players finish their match from there', async () => {
    await using nodes = await startTwo()
    const { leaving, staying } = nodes
    const player = await newcomer(leaving)
    const { id } = (await startLive(player.client, LOCAL)).latest
    const stopped = leaving.stop()
    expect(await within(player.client.closed, 'the closing')).toMatchObject({ code: 4000 })
    expect((await refusal(leaving.url, { cookie: player.player.cookie })).status).toBe(503)

    const client = await openSocket(staying, player.player)
    const result = await follow(client, id)
    await playConnectFour([client], id)
    expect(await result.over()).toMatchObject({ status: 'finished', winnerSeat: 0 })
    await within(stopped, 'the stop')
    expect(await client.call('rpc.ping')).toEqual({})
  })

  test('a match whose countdown runs begins there', async () => {
    await using nodes = await startTwo()
    const { leaving, staying } = nodes
    const player = await newcomer(leaving)
    const elsewhere = await openSocket(staying, player.player)
    const match = await follow(elsewhere, (await create(player.client, LOCAL)).id)
    await match.until(({ startsAt }) => startsAt !== null)
    // Without being told, the other node would notice it two seconds after its time.
    const stopped = leaving.stop()
    await match.live(2_500)
    expect(staying.app.platform.engine.get(match.latest.id)).toBeDefined()
    await within(stopped, 'the stop')
    expect(match.latest).toMatchObject({ status: 'live' })
  })

  test('sockets stay where the other node leaves too', async () => {
    await using nodes = await startTwo()
    const { leaving, staying } = nodes
    const player = await newcomer(leaving)
    const { id } = (await startLive(player.client, LOCAL)).latest
    void staying.app.stop()
    const stopped = leaving.stop()
    const result = await follow(player.client, id)
    await playConnectFour([player.client], id)
    expect(await result.over()).toMatchObject({ status: 'finished' })
    await within(stopped, 'the stop')
  })
})
