import { expect } from 'vitest'
import type { LiveFrame } from '../../src/modules/live/types.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { rallyTest } from '../support/rally-test.ts'
import { createLocal, enterLive, quickStart, whenLive } from './live-client.ts'

const test = rallyTest({ config: quickStart })

test('frames come at the rate that was asked for, evenly, from the start to the end', async ({ rally, ada }) => {
  await using live = await enterLive(rally.url, ada)
  const match = await createLocal(live, 'pong', { pointsToWin: 1 })
  const streams = await Promise.all(
    [60, 20, 10, 1].map(async (rate) => {
      const { client } = await enterLive(rally.url)
      const stream = await client.subscribe<LiveFrame>('live.onState', { matchId: match.id, rate })
      expect(stream.opening).toMatchObject({ seq: 0, snapshot: { tick: 0, status: 'waiting' } })
      return { rate, stream, client }
    }),
  )
  for (const { rate, stream, client } of streams) {
    const frames: LiveFrame[] = []
    while (frames.at(-1)?.status !== 'finished') {
      const { seq, data } = await stream.events.next(undefined, 30_000)
      expect(seq).toBe(data.status === 'live' ? data.tick : data.tick + 1)
      frames.push(data)
    }
    expect(await stream.events.next()).toMatchObject({ error: 'STREAM_CLOSED', data: { reason: 'finished' } })
    const end = frames.at(-1)?.tick ?? 0
    const due = Array.from({ length: end }, (_, tick) => tick + 1).filter(
      (tick) => Math.floor((tick * rate) / 60) > Math.floor(((tick - 1) * rate) / 60),
    )
    expect(frames.slice(0, -1).map(({ tick }) => tick)).toEqual(due)
    await client.close()
  }
}, 60_000)

test('a match that is over takes no place of a socket, in either mode, whenever it was opened', async ({
  rally,
  ada,
}) => {
  await using live = await enterLive(rally.url, ada)
  for (const mode of ['state', 'inputs']) {
    const match = await createLocal(live, 'connect-four', { first: 0 })
    const { channel, events } = await live.client.subscribe('live.onState', { matchId: match.id, mode })
    await whenLive(rally, live, match.id)
    await live.client.call('matches.leave', { matchId: match.id })
    const last = await events.next(({ error }) => error !== undefined)
    expect(last).toMatchObject({ error: 'STREAM_CLOSED', data: { reason: 'aborted' } })

    const late = await live.client.subscribe<LiveFrame>('live.onState', { matchId: match.id, mode })
    expect(late).toMatchObject({ channel, opening: { snapshot: { status: 'aborted' } } })
    expect(await late.events.next()).toMatchObject({ error: 'STREAM_CLOSED', data: { reason: 'aborted' } })
    const followed = [...rally.app.platform.connections].flatMap(({ following }) => [...following.keys()])
    expect(followed).not.toContain(channel)
  }
})

test('two rates of one match do not disturb each other, and nobody is told after leaving', async ({ rally, ada }) => {
  await using live = await enterLive(rally.url, ada)
  await using spectator = await enterLive(rally.url)
  const match = await createLocal(live, 'pong')
  await whenLive(rally, live, match.id)
  const slow = await live.client.subscribe<LiveFrame>('live.onState', { matchId: match.id, rate: 10 })
  expect(slow.opening.snapshot).toMatchObject({ status: 'live' })
  const fast = await spectator.client.subscribe<LiveFrame>('live.onState', { matchId: match.id, rate: 60 })
  const [first, second] = await fast.events.take(2)
  expect((second?.data.tick ?? 0) - (first?.data.tick ?? 0)).toBe(1)
  await spectator.client.call('rpc.unsubscribe', { channel: fast.channel })
  fast.events.drain()
  const ticks = (await slow.events.take(5)).map(({ data }) => data.tick)
  for (const [index, tick] of ticks.slice(1).entries()) expect(tick - (ticks[index] ?? 0)).toBe(6)
  expect(fast.events.size).toBe(0)
  await spectator.client.call('rpc.unsubscribe', { channel: slow.channel })
  await live.client.call('rpc.unsubscribe', { channel: slow.channel })
  // Nobody watches any more, so no step is told.
  const runner = rally.app.platform.engine.get(match.id)
  await expect.poll(() => runner?.watched, { timeout: 5_000 }).toBe(false)
  await live.client.call('matches.leave', { matchId: match.id })
})

test('a socket has one stream of states a match: another rate replaces it', async ({ rally, ada }) => {
  await using live = await enterLive(rally.url, ada)
  const match = await createLocal(live, 'pong')
  const open = (matchId: string, rate?: number) => live.client.subscribe<LiveFrame>('live.onState', { matchId, rate })
  const slow = await open(match.id, 5)
  const other = await createLocal(live, 'pong')
  const elsewhere = await open(other.id, 5)
  const fast = await open(match.id)
  expect(fast.channel).toBe(`live.onState/${match.id}/state/30`)
  expect(await slow.events.next(({ error }) => error !== undefined)).toMatchObject({
    error: 'STREAM_CLOSED',
    data: { reason: 'replaced' },
  })
  const again = await open(match.id, 5)
  expect((await fast.events.next(({ error }) => error !== undefined)).data).toEqual({ reason: 'replaced' })
  const followed = [...rally.app.platform.connections].flatMap(({ following }) => [...following.keys()])
  expect(followed).toEqual(expect.arrayContaining([again.channel, elsewhere.channel]))
  expect(followed).not.toContain(fast.channel)
  for (const rate of [0, 2, 7, 59, 61, 1.5, '30']) {
    const refused = await live.client.request('live.onState', { matchId: match.id, rate })
    expect(refused, `${rate}`).toMatchObject({ error: 'VALIDATION_FAILED', data: { issues: [{ path: 'rate' }] } })
  }
  for (const { id } of [match, other]) await live.client.call('matches.leave', { matchId: id })
})

test('a turn-based game shows every turn, and its end', async ({ rally, ada }) => {
  await using live = await enterLive(rally.url, ada)
  const match = await createLocal(live, 'connect-four', { first: 0 })
  const { events } = await live.client.subscribe<LiveFrame>('live.onState', { matchId: match.id })
  expect((await events.next()).data).toMatchObject({ tick: 0, status: 'live' })
  for (let turn = 0; turn < 7; turn++) {
    const input = { matchId: match.id, seat: turn % 2, input: { column: turn % 2 } }
    live.client.send(JSON.stringify({ type: 'live.input', eid: `${turn}`, ts: Date.now(), data: input }))
    expect((await events.next()).data).toMatchObject({ tick: turn + 1, status: 'live' })
  }
  expect((await events.next()).data).toMatchObject({ tick: 7, status: 'finished' })
  expect(await events.next()).toMatchObject({ error: 'STREAM_CLOSED', data: { reason: 'finished' } })
})

test('a player with one seat need not name it; a spectator has none', async ({ rally, ada, ben }) => {
  await using live = await enterLive(rally.url, ada)
  await using other = await enterLive(rally.url, ben)
  const match = await live.client.call<Match>('matches.create', { game: 'pong', mode: 'bot' })
  await whenLive(rally, live, match.id)
  const { events } = await live.client.subscribe<LiveFrame & { state: { paddle0: number } }>('live.onState', {
    matchId: match.id,
  })
  const before = (await events.next()).data.state.paddle0
  const send = (client: typeof live, data: object) =>
    client.client.send(JSON.stringify({ type: 'live.input', eid: 'press', ts: Date.now(), data }))
  send(live, { matchId: match.id, input: { move: -1 } })
  expect((await events.next(({ data }) => data.state.paddle0 !== before)).data.state.paddle0).toBeLessThan(before)
  send(other, { matchId: match.id, input: { move: 1 } })
  expect(await other.client.next()).toMatchObject({ type: 'live.input', eid: 'press', error: 'NOT_SEATED' })
  send(live, { matchId: match.id, input: { move: 5 } })
  expect(await live.client.next()).toMatchObject({
    error: 'VALIDATION_FAILED',
    data: { issues: [{ path: 'input.move' }] },
  })
  send(live, { matchId: 'none', input: { move: 1 } })
  expect(await live.client.next()).toMatchObject({ error: 'NOT_LIVE' })
  await live.client.call('matches.leave', { matchId: match.id })
})
