import { expect } from 'vitest'
import type { LiveFrame } from '../../src/modules/live/types.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { createTestDatabase } from '../support/database.ts'
import { rallyTest } from '../support/rally-test.ts'
import { register, startRally } from '../support/server.ts'
import { createLocal, ended, enterLive, follow, quickStart, sendInput, whenLive } from './live-client.ts'

const DELAY_MS = 1_500
const DELAY_TICKS = 90

const test = rallyTest({ config: quickStart })

test('spectators see nothing before its time, in either mode, and the same match in the end', async ({
  rally,
  ada,
  ben,
}) => {
  await using live = await enterLive(rally.url, ada)
  await using spectator = await enterLive(rally.url)
  await using stranger = await enterLive(rally.url, ben)
  const match = await createLocal(live, 'pong', { pointsToWin: 1, spectatorDelayMs: DELAY_MS })
  expect(match.options).toEqual({ pointsToWin: 1, spectatorDelayMs: DELAY_MS })
  const own = await follow(live, match.id)
  const delayed = await follow(spectator, match.id)
  const states = await stranger.client.subscribe<LiveFrame>('live.onState', { matchId: match.id, rate: 60 })
  expect(own.snapshot).toMatchObject({ delayMs: 0, rewindTicks: 6, options: { pointsToWin: 1 } })
  expect(delayed.snapshot).toMatchObject({ delayMs: DELAY_MS, rewindTicks: 0, status: 'waiting', tick: 0 })
  expect(states.channel).toBe(`live.onState/${match.id}/state/60/delayed`)

  const tick = await whenLive(rally, live, match.id)
  const runner = rally.app.platform.engine.get(match.id)
  if (!runner) throw new Error('the match does not run')
  // How far the match was when each frame was seen, less what the frame tells.
  const leads: number[] = []
  const leadsOfStates: number[] = []
  const receive = stranger.client.receive.bind(stranger.client)
  stranger.client.receive = (text) => {
    const { data } = JSON.parse(text) as { data: { tick?: number } }
    if (data.tick !== undefined && !runner.isOver) leadsOfStates.push(runner.tick - data.tick)
    receive(text)
  }
  const { onFrame } = spectator
  spectator.onFrame = (bytes) => {
    onFrame(bytes)
    if (!runner.isOver) leads.push(runner.tick - delayed.near)
  }
  for (let press = 0; press < 12; press++) {
    sendInput(live, own, tick() - 2, press % 2, press % 3)
    await live.frames.next()
    await new Promise((resolve) => setTimeout(resolve, 60))
  }
  // Somebody comes in the middle.
  await using late = await enterLive(rally.url)
  const lateMirror = await follow(late, match.id)
  expect(lateMirror.snapshot.status).toBe('waiting')
  expect(lateMirror.snapshot.now).toBeLessThanOrEqual(Math.max(0, runner.tick - DELAY_TICKS))

  await ended(live)
  expect(delayed.ended).toBeNull()
  // The replay would tell them.
  for (const one of [spectator, stranger]) {
    expect(await one.client.request('live.getReplay', { matchId: match.id })).toMatchObject({ error: 'NOT_FINISHED' })
  }
  expect(await live.client.call('live.getReplay', { matchId: match.id })).toMatchObject({ ticks: runner.tick })

  // The match is over and stored, and they still see what was a second ago.
  await using after = await enterLive(rally.url)
  const afterMirror = await follow(after, match.id)
  expect(afterMirror.snapshot.status).toBe('live')
  expect(afterMirror.snapshot.now).toBeLessThan(runner.tick)

  await Promise.all([ended(spectator), ended(late), ended(after)])
  for (const mirror of [own, delayed, lateMirror, afterMirror]) {
    for (const check of mirror.checks) expect(check.own).toBe(check.server)
    expect(mirror.ended).toEqual({ tick: runner.tick, status: 'finished' })
    expect(mirror.hash).toBe(own.hash)
  }
  expect(delayed.checks.map((check) => check.tick)).toEqual(expect.arrayContaining([0, 60]))
  expect(leads.length).toBeGreaterThan(1)
  expect(Math.min(...leads)).toBeGreaterThanOrEqual(DELAY_TICKS)
  expect(leadsOfStates.length).toBeGreaterThan(3)
  expect(Math.min(...leadsOfStates)).toBeGreaterThanOrEqual(DELAY_TICKS)
  const last = await states.events.next(({ data }) => data.status === 'finished')
  expect(last.data.tick).toBe(runner.tick)
  expect(await spectator.client.call('live.getReplay', { matchId: match.id })).toMatchObject({ ticks: runner.tick })
}, 60_000)

test('the end is kept from spectators by a server too that never ran the match', async () => {
  await using database = await createTestDatabase()
  const player = await (async () => {
    await using first = await startRally({ database, config: quickStart })
    const ada = await register(first.url, 'ada')
    await using live = await enterLive(first.url, ada)
    const { id } = await createLocal(live, 'connect-four', { first: 0, spectatorDelayMs: 60_000 })
    const own = await follow(live, id)
    await whenLive(first, live, id)
    for (let turn = 0; turn < 7; turn++) sendInput(live, own, turn, turn % 2, (turn % 2) + 1)
    await ended(live)
    return { ...ada, matchId: id, secrets: first.config.secrets }
  })()
  await using second = await startRally({ database, config: { secrets: player.secrets } })
  await using live = await enterLive(second.url, player)
  await using spectator = await enterLive(second.url)
  for (const mode of ['state', 'inputs']) {
    const following = { matchId: player.matchId, mode }
    const refused = await spectator.client.request<{ retryAfterMs: number }>('live.onState', following)
    expect(refused).toMatchObject({ error: 'UNAVAILABLE' })
    expect(refused.data.retryAfterMs).toBeGreaterThan(10_000)
    expect(refused.data.retryAfterMs).toBeLessThanOrEqual(60_000)
    const { opening } = await live.client.subscribe('live.onState', following)
    expect(opening.snapshot).toMatchObject({ status: 'finished', tick: 7 })
  }
}, 30_000)

test('a user who takes a seat sees the match at once, and one who gives up a seat does not any more', async () => {
  // A match that does not begin meanwhile.
  await using slow = await startRally({ config: { matches: { ...quickStart.matches, countdownMs: 60_000 } } })
  await using live = await enterLive(slow.url, await register(slow.url, 'ada'))
  await using other = await enterLive(slow.url, await register(slow.url, 'ben'))
  const match = await live.client.call<Match>('matches.create', {
    game: 'pong',
    mode: 'casual',
    options: { spectatorDelayMs: 5_000 },
  })
  const channelOf = async (one: typeof live) =>
    one.client.subscribe('live.onState', { matchId: match.id, mode: 'inputs' })
  const before = await channelOf(other)
  expect(before.channel).toBe(`live.onState/${match.id}/inputs/delayed`)
  await other.client.call('matches.join', { matchId: match.id })
  // It has to be opened anew, which a client does by itself for this reason.
  expect(await before.events.next()).toMatchObject({ error: 'STREAM_CLOSED', data: { reason: 'behind' } })
  const seated = await channelOf(other)
  expect(seated.channel).toBe(`live.onState/${match.id}/inputs`)
  await other.client.call('matches.leave', { matchId: match.id })
  expect(await seated.events.next()).toMatchObject({ error: 'STREAM_CLOSED', data: { reason: 'behind' } })
  expect((await channelOf(other)).channel).toBe(before.channel)
  await live.client.call('matches.leave', { matchId: match.id })
})

test('turns of a turn-based game are shown when they are old enough', async ({ rally, ada }) => {
  await using live = await enterLive(rally.url, ada)
  await using spectator = await enterLive(rally.url)
  const match = await createLocal(live, 'connect-four', { first: 0, spectatorDelayMs: DELAY_MS })
  const own = await follow(live, match.id)
  const delayed = await follow(spectator, match.id)
  await whenLive(rally, live, match.id)
  const played: number[] = []
  const seen: number[] = []
  const { onFrame } = spectator
  spectator.onFrame = (bytes) => {
    const before = delayed.changedAt.length
    onFrame(bytes)
    if (delayed.changedAt.length > before) seen.push(performance.now())
  }
  for (let turn = 0; turn < 7; turn++) {
    sendInput(live, own, turn, turn % 2, (turn % 2) + 1)
    await live.frames.next()
    played.push(performance.now())
  }
  const overAt = performance.now()
  await ended(live)
  await ended(spectator)
  expect(performance.now() - overAt).toBeGreaterThan(DELAY_MS - 50)
  expect(seen).toHaveLength(7)
  for (const [turn, at] of seen.entries()) expect(at - (played[turn] ?? 0)).toBeGreaterThan(DELAY_MS - 50)
  expect(delayed.hash).toBe(own.hash)
  expect(delayed.checks).toHaveLength(9)
}, 30_000)

test('a match that is given up early is not shown to its end before its time either', async ({ rally, ada }) => {
  await using live = await enterLive(rally.url, ada)
  await using spectator = await enterLive(rally.url)
  const match = await createLocal(live, 'pong', { spectatorDelayMs: DELAY_MS })
  const delayed = await follow(spectator, match.id)
  await whenLive(rally, live, match.id)
  const startedAt = performance.now()
  await live.client.call('matches.leave', { matchId: match.id })
  await ended(spectator)
  expect(performance.now() - startedAt).toBeGreaterThan(DELAY_MS - 100)
  expect(delayed.ended?.status).toBe('aborted')
}, 30_000)

test('a delay is at most a minute, and no option of the game', async ({ rally, ada }) => {
  await using live = await enterLive(rally.url, ada)
  for (const spectatorDelayMs of [-1, 60_001, 1.5, '1000']) {
    const answer = await live.client.request('matches.create', {
      game: 'pong',
      mode: 'local',
      options: { spectatorDelayMs },
    })
    expect(answer).toMatchObject({
      error: 'VALIDATION_FAILED',
      data: { issues: [{ path: 'options.spectatorDelayMs' }] },
    })
  }
  const match = await createLocal(live, 'pong', { spectatorDelayMs: 0 })
  expect(match.options).toEqual({ pointsToWin: 11 })
  await live.client.call('matches.leave', { matchId: match.id })
})
