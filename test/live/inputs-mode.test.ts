import { describe, expect } from 'vitest'
import { hashState } from '../../src/games/hash.ts'
import type { LiveInputsSnapshot } from '../../src/modules/live/types.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { encodeJsonInput } from '../../src/protocol/live-frames.ts'
import { rallyTest } from '../support/rally-test.ts'
import {
  createLocal,
  ended,
  enterLive,
  follow,
  kindOf,
  type LiveClient,
  type Mirror,
  quickStart,
  sendInput,
  whenLive,
} from './live-client.ts'

const test = rallyTest({ config: quickStart })

function expectEqual(mirror: Mirror, atLeast: number): void {
  expect(mirror.checks.length).toBeGreaterThanOrEqual(atLeast)
  for (const { tick, own, server } of mirror.checks) expect(own, `tick ${tick}`).toBe(server)
}

/** Somebody who presses keys at random: inputs for now, for a tick ago and for one ahead. Ends with the match. */
async function playAtRandom(live: LiveClient, mirror: Mirror, tick: () => number, seat: number): Promise<void> {
  while (!mirror.ended) {
    const distance = Math.floor(Math.random() * 15) - 8
    sendInput(live, mirror, Math.max(0, tick() + distance), seat, Math.floor(Math.random() * 3))
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 150))
  }
}

describe('mode inputs', () => {
  test('a whole match is the same for its players, spectators, who comes late and who comes back', async ({
    rally,
    database,
    ada,
    ben,
  }) => {
    await using first = await enterLive(rally.url, ada)
    await using second = await enterLive(rally.url, ben)
    await using spectator = await enterLive(rally.url)
    const match = await first.client.call<Match>('matches.create', {
      game: 'pong',
      mode: 'casual',
      options: { pointsToWin: 2 },
    })
    // Two follow before it begins, and before it is full.
    const mirrors = [await follow(first, match.id), await follow(spectator, match.id)]
    expect(mirrors[0]?.snapshot).toMatchObject({
      tick: 0,
      now: 0,
      status: 'waiting',
      game: 'pong',
      options: { pointsToWin: 2 },
      inputs: [{ move: 0 }, { move: 0 }],
      changes: [],
      tickRate: 60,
      rewindTicks: 6,
      delayMs: 0,
    })
    await second.client.call('matches.join', { matchId: match.id })
    mirrors.push(await follow(second, match.id))
    const tick = await whenLive(rally, first, match.id)
    const [one, , two] = mirrors
    if (!one || !two) throw new Error('nobody follows')
    // How old changes were when they came.
    const lateBy: number[] = []
    const { onFrame } = second
    second.onFrame = (bytes) => {
      onFrame(bytes)
      if (kindOf(bytes) === 'input') lateBy.push(tick() - (two.changedAt.at(-1) ?? 0))
    }
    const playing = [playAtRandom(first, one, tick, 0), playAtRandom(second, two, tick, 1)]

    // The start is told by the keyframe of tick 0, which is the state that was known before.
    const start = await spectator.frames.next()
    expect(kindOf(start)).toBe('keyframe')
    expect(one.checks[0]).toEqual({
      tick: 0,
      server: hashState(one.snapshot.state),
      own: hashState(one.snapshot.state),
    })

    while (tick() < 100) await first.frames.next()
    await using late = await enterLive(rally.url)
    const lateMirror = await follow(late, match.id)
    expect(lateMirror.snapshot).toMatchObject({ status: 'live', stream: one.snapshot.stream, seed: one.snapshot.seed })
    expect(lateMirror.snapshot.tick).toBeGreaterThan(0)
    expect(lateMirror.snapshot.now - lateMirror.snapshot.tick).toBeLessThanOrEqual(12)

    // Reloads a page: the same player, another socket.
    await using reloaded = await enterLive(rally.url, ada)
    const reloadedMirror = await follow(reloaded, match.id)
    await first.client.socket.close()

    const all = [lateMirror, reloadedMirror, two]
    await Promise.all([ended(late), ended(reloaded), ended(second)])
    one.ended = { tick: 0, status: 'left' }
    await Promise.all(playing)
    for (const mirror of all) expectEqual(mirror, 2)
    expectEqual(two, 4)
    expect(two.changedAt.length).toBeGreaterThan(20)
    expect(lateBy.some((ticks) => ticks >= 3)).toBe(true)

    const row = await database.db.match.findUniqueOrThrow({
      where: { id: match.id },
      include: { seats: { orderBy: { seat: 'asc' } } },
    })
    expect(row.status).toBe('finished')
    for (const mirror of all) {
      expect(mirror.ended).toEqual({ tick: row.ticks, status: 'finished' })
      expect(mirror.hash).toBe(hashState(row.finalState))
      expect(mirror.game.scores(mirror.state)).toEqual(row.seats.map(({ score }) => score))
    }

    // Who comes when it is over sees the end, and that nothing follows.
    await using after = await enterLive(rally.url)
    const over = await follow(after, match.id)
    expect(over.snapshot).toMatchObject({
      status: 'finished',
      tick: row.ticks,
      now: row.ticks,
      stream: null,
      changes: [],
    })
    expect(over.hash).toBe(hashState(row.finalState))
  }, 90_000)

  test('the stream ends with the match', async ({ rally, ada }) => {
    await using live = await enterLive(rally.url, ada)
    const match = await createLocal(live, 'pong', { pointsToWin: 1 })
    const opened = await live.client.subscribe('live.onState', { matchId: match.id, mode: 'inputs' })
    await ended(live)
    const { error, data } = await opened.events.next()
    expect({ error, data }).toEqual({ error: 'STREAM_CLOSED', data: { reason: 'finished' } })
  }, 60_000)

  test('a match that never begins ends the stream', async ({ rally, ada }) => {
    await using live = await enterLive(rally.url, ada)
    await using spectator = await enterLive(rally.url)
    const match = await live.client.call<Match>('matches.create', { game: 'pong', mode: 'casual' })
    const opened = await spectator.client.subscribe('live.onState', { matchId: match.id, mode: 'inputs' })
    await live.client.call('matches.leave', { matchId: match.id })
    const { error, data } = await opened.events.next()
    expect({ error, data }).toEqual({ error: 'STREAM_CLOSED', data: { reason: 'aborted' } })
  })

  test('a frame goes out only when an input changes, and a keyframe once a second', async ({ rally, ada }) => {
    await using live = await enterLive(rally.url, ada)
    const match = await createLocal(live, 'pong')
    const mirror = await follow(live, match.id)
    const tick = await whenLive(rally, live, match.id)
    const second = (mirrorTick: number) =>
      live.frames.next((bytes) => kindOf(bytes) === 'keyframe' && mirror.checks.at(-1)?.tick === mirrorTick, 10_000)
    await second(0)
    sendInput(live, mirror, tick(), 0, 1)
    sendInput(live, mirror, tick(), 0, 1)
    sendInput(live, mirror, tick(), 1, 0)
    await second(60)
    await second(120)
    expect(mirror.checks.map(({ tick }) => tick)).toEqual([0, 60, 120])
    expect(mirror.changedAt).toHaveLength(1)
    expect(live.frames.drain().map(kindOf)).toEqual(['input'])
    await live.client.call('matches.leave', { matchId: match.id })
  }, 30_000)

  test('a late input takes effect at the tick that it names, one that is too late when it comes', async ({
    rally,
    ada,
  }) => {
    await using live = await enterLive(rally.url, ada)
    const match = await createLocal(live, 'pong')
    const mirror = await follow(live, match.id)
    const tick = await whenLive(rally, live, match.id)
    while (tick() < 70) await live.frames.next((bytes) => kindOf(bytes) === 'keyframe')
    const changed = async () => {
      await live.frames.next((bytes) => kindOf(bytes) === 'input')
      return mirror.changedAt.at(-1)
    }
    const named = tick() - 3
    sendInput(live, mirror, named, 0, 2)
    expect(await changed()).toBe(named)

    const tooLate = tick() - 60
    const now = tick()
    sendInput(live, mirror, tooLate, 0, 1)
    expect(await changed()).toBeGreaterThanOrEqual(now)

    const ahead = tick() + 20
    sendInput(live, mirror, ahead, 1, 1)
    expect(await changed()).toBe(ahead)

    // The same as JSON, in both of its ways.
    const asJson = tick() - 2
    live.client.send(encodeJsonInput(mirror.snapshot.stream ?? 0, asJson, 1, { move: 1 }))
    expect(await changed()).toBeGreaterThanOrEqual(asJson)
    const asText = tick() + 5
    live.client.send(
      JSON.stringify({
        type: 'live.input',
        eid: 'x',
        ts: Date.now(),
        data: { matchId: match.id, seat: 1, input: { move: 0 }, tick: asText },
      }),
    )
    expect(await changed()).toBe(asText)

    await live.frames.next((bytes) => kindOf(bytes) === 'keyframe', 5_000)
    expectEqual(mirror, 3)
    await live.client.call('matches.leave', { matchId: match.id })
  }, 30_000)

  test('a turn-based game is told turn by turn, with a keyframe each', async ({ rally, ada }) => {
    await using live = await enterLive(rally.url, ada)
    await using spectator = await enterLive(rally.url)
    const match = await createLocal(live, 'connect-four', { first: 0 })
    const mirror = await follow(live, match.id)
    const watching = await follow(spectator, match.id)
    await whenLive(rally, live, match.id)
    // Four in a column: seat 0 drops into column 3, seat 1 beside it; 4 is the place of column 3 in the table.
    for (let turn = 0; turn < 7; turn++) {
      sendInput(live, mirror, turn, turn % 2, turn % 2 === 0 ? 4 : 5)
      await spectator.frames.next((bytes) => kindOf(bytes) === 'input')
    }
    await ended(live)
    await ended(spectator)
    for (const one of [mirror, watching]) {
      expectEqual(one, 8)
      expect(one.changedAt).toEqual([0, 1, 2, 3, 4, 5, 6])
      expect(one.ended).toEqual({ tick: 7, status: 'finished' })
      expect(one.game.outcome(one.state)).toEqual({ placements: [1, 2], scores: [1, 0] })
    }
  }, 30_000)
})

describe('a match that is not there', () => {
  test('cannot be followed', async ({ rally }) => {
    await using live = await enterLive(rally.url)
    const answer = await live.client.request('live.onState', { matchId: 'none', mode: 'inputs' })
    expect(answer.error).toBe('NOT_FOUND')
    const other = await live.client.request('live.onState', { matchId: 'none', mode: 'other' })
    expect(other.error).toBe('VALIDATION_FAILED')
  })

  test('is no snapshot of another kind', async ({ rally, ada }) => {
    await using live = await enterLive(rally.url, ada)
    const match = await live.client.call<Match>('matches.create', { game: 'pong', mode: 'casual' })
    const { opening } = await live.client.subscribe<Partial<LiveInputsSnapshot>>('live.onState', { matchId: match.id })
    expect(Object.keys(opening.snapshot ?? {}).sort()).toEqual(['state', 'status', 'tick'])
    await live.client.call('matches.leave', { matchId: match.id })
  })
})
