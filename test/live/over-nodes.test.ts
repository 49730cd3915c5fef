import { randomUUID } from 'node:crypto'
import { test as base, expect, vi } from 'vitest'
import type { MemoryCluster } from '../../src/bus/memory.ts'
import type { Config } from '../../src/config.ts'
import { liveService } from '../../src/modules/live/service.ts'
import type { LiveFrame, LiveInputsSnapshot } from '../../src/modules/live/types.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { decodeLiveFrame, encodeInput, encodeJsonInput } from '../../src/protocol/live-frames.ts'
import { BusFaults } from '../support/bus-faults.ts'
import { createTestDatabase } from '../support/database.ts'
import { type Player, type Rally, register, startRally } from '../support/server.ts'
import {
  createLocal,
  ended,
  enterLive,
  follow,
  kindOf,
  type LiveClient,
  Mirror,
  quickStart,
  sendInput,
} from './live-client.ts'

/** Servers that are one cluster. Matches are opened on the first one, hence run there. */
const test = base
  .extend('config', { scope: 'file' }, { ...quickStart, maxRewindMs: 1_000 })
  .extend('cluster', { scope: 'file' }, async ({ config }, { onCleanup }) => {
    const database = await createTestDatabase()
    const nodes: MemoryCluster = new Map()
    const faults = new BusFaults()
    const shared = { database, cluster: nodes, faults }
    const owner = await startRally({ ...shared, config })
    const start = (own: Partial<Config> = {}) => {
      return startRally({ ...shared, config: { ...config, ...own, secrets: owner.config.secrets } })
    }
    const [second, third] = await Promise.all([start(), start()])
    onCleanup(async () => {
      await Promise.all([owner, second, third].map((node) => node.stop()))
      await database.drop()
    })
    return { nodes, faults, owner, second, third, start }
  })
  .extend('ada', { scope: 'file' }, ({ cluster }) => register(cluster.owner.url, 'ada'))
  .extend('ben', { scope: 'file' }, ({ cluster }) => register(cluster.owner.url, 'ben'))

const PATIENT = { timeout: 15_000 }

/** Does something by a socket to this node that is gone afterwards. */
async function once<T>(node: Rally, player: Player, type: string, data: object): Promise<T> {
  await using live = await enterLive(node.url, player)
  return await live.client.call<T>(type, data)
}

const create = (node: Rally, player: Player, options: object = {}) =>
  once<Match>(node, player, 'matches.create', { game: 'pong', mode: 'casual', options })

/** Waits for the first keyframe of a match that `owner` runs. */
async function begun(owner: Rally, { id }: Match, live: LiveClient) {
  await live.frames.next((bytes) => kindOf(bytes) === 'keyframe')
  const runner = owner.app.platform.engine.get(id)
  if (!runner) throw new Error('the match does not run there')
  return runner
}

const isPlaying = (node: Rally, { id }: Player) => node.app.platform.use(liveService).isPlaying(id)

test('two players on two nodes play a match that runs on a third', async ({ cluster, ada, ben }) => {
  const { owner, second, third } = cluster
  await using first = await enterLive(second.url, ada)
  await using other = await enterLive(third.url, ben)
  await using watcher = await enterLive(third.url)
  const match = await create(owner, ada, { pointsToWin: 1 })
  const [own, others] = [await follow(first, match.id), await follow(other, match.id)]
  const states = await watcher.client.subscribe<LiveFrame>('live.onState', { matchId: match.id, rate: 60 })
  expect([own.snapshot.status, others.snapshot.status]).toEqual(['waiting', 'waiting'])
  await once(owner, ben, 'matches.join', { matchId: match.id })
  const runner = await begun(owner, match, first)
  expect([second, third].map((node) => node.app.platform.engine.get(match.id))).toEqual([undefined, undefined])
  expect([isPlaying(owner, ada), isPlaying(second, ada), isPlaying(third, ben)]).toEqual([true, true, true])

  const changeOf = (seat: number) => (bytes: Uint8Array) => {
    const frame = decodeLiveFrame(bytes)
    return frame?.kind === 'input' && frame.seat === seat
  }
  sendInput(first, own, runner.tick + 3, 0, 1)
  sendInput(other, others, runner.tick + 3, 1, 2)
  for (const live of [first, other]) for (const seat of [0, 1]) await live.frames.next(changeOf(seat))
  expect(runner.inputs).toEqual([{ move: -1 }, { move: 1 }])
  expect((await states.events.next(({ data }) => data.status === 'live')).data.state).toHaveProperty('ballX')

  // Late by the owner's clock, and within what it goes back for.
  await expect.poll(() => runner.tick, PATIENT).toBeGreaterThan(20)
  const named = runner.tick - 3
  sendInput(first, own, named, 0, 2)
  await first.frames.next(changeOf(0))
  expect(runner.log.findLast(({ seat }) => seat === 0)).toEqual({ tick: named, seat: 0, input: { move: 1 } })

  await using late = await enterLive(second.url)
  const lateMirror = await follow(late, match.id)
  expect(lateMirror.snapshot).toMatchObject({ status: 'live', rewindTicks: 60 })
  await Promise.all([ended(first), ended(other), ended(late)])
  for (const mirror of [own, others, lateMirror]) {
    expect(mirror.ended).toEqual({ tick: runner.tick, status: 'finished' })
    for (const check of mirror.checks) expect(check.own).toBe(check.server)
    expect(mirror.hash).toBe(own.hash)
  }
  expect((await states.events.next(({ data }) => data.status === 'finished')).data.tick).toBe(runner.tick)
  await expect.poll(() => [isPlaying(second, ada), isPlaying(third, ben)], PATIENT).toEqual([false, false])
}, 60_000)

test('what the owner refuses comes back to the socket that sent it, under its eid', async ({ cluster, ada, ben }) => {
  const { owner, second, third } = cluster
  await using first = await enterLive(second.url, ada)
  await using other = await enterLive(third.url, ben)
  const match = await create(owner, ada)
  const own = await follow(first, match.id)
  await once(owner, ben, 'matches.join', { matchId: match.id })
  const runner = await begun(owner, match, first)
  const stream = own.snapshot.stream ?? 0
  first.client.send(encodeInput(stream, runner.tick, 1, 1))
  const refused = { type: 'live.input', eid: `input/${stream}/1`, error: 'NOT_SEATED' }
  expect(await first.client.next()).toMatchObject(refused)
  first.client.send(encodeJsonInput(stream, runner.tick, 0, { move: 7 }))
  const invalid = { error: 'VALIDATION_FAILED', data: { issues: [{ path: 'input.move' }] } }
  expect(await first.client.next()).toMatchObject({ eid: `input/${stream}/0`, ...invalid })
  const say = (live: LiveClient, data: object) => {
    live.client.send(JSON.stringify({ type: 'live.input', eid: 'said', ts: Date.now(), data }))
  }
  say(first, { matchId: match.id, input: { move: 7 } })
  expect(await first.client.next()).toMatchObject({ type: 'live.input', eid: 'said', ...invalid })
  say(first, { matchId: 'no-such-match', input: { move: 1 } })
  expect(await first.client.next()).toMatchObject({ eid: 'said', error: 'NOT_LIVE' })
  // A player who follows nothing.
  say(other, { matchId: match.id, input: { move: 1 } })
  await expect.poll(() => runner.inputs[1], PATIENT).toEqual({ move: 1 })
  await first.client.call('matches.leave', { matchId: match.id })
}, 30_000)

test('a frame reaches its match, or is refused under its eid, when its node does not know who runs the match', async ({
  cluster,
  ada,
  ben,
}) => {
  const { owner, second } = cluster
  await using live = await enterLive(second.url, ada)
  await using stranger = await enterLive(second.url, ben)
  const match = await once<Match>(owner, ada, 'matches.create', { game: 'pong', mode: 'local' })
  const own = await follow(live, match.id)
  const others = await follow(stranger, match.id)
  const runner = await begun(owner, match, live)
  for (const index of [1, 2]) {
    const listeners = cluster.nodes.get(second.app.platform.node)
    listeners?.gone(owner.app.platform.node)
    sendInput(stranger, others, runner.tick, 1, 1)
    const refused = { eid: `input/${others.snapshot.stream}/1`, error: 'NOT_SEATED' }
    expect(await stranger.client.next()).toMatchObject(refused)
    listeners?.gone(owner.app.platform.node)
    sendInput(live, own, runner.tick, 0, index)
    await expect.poll(() => runner.inputs[0], PATIENT).toEqual(runner.game.inputs?.[index])
  }
  await live.client.call('matches.leave', { matchId: match.id })
}, 30_000)

test('a seat is released when its socket to another node closes, and when that node is gone', async ({
  cluster,
  ada,
  ben,
}) => {
  const { owner, second, third } = cluster
  await using dying = await cluster.start()
  await using first = await enterLive(dying.url, ada)
  await using other = await enterLive(second.url, ben)
  // Both have another socket elsewhere: they do not leave the match.
  await using spare = await enterLive(third.url, ada)
  await using spareOther = await enterLive(third.url, ben)
  const match = await create(owner, ada)
  const [own, others] = [await follow(first, match.id), await follow(other, match.id)]
  await once(owner, ben, 'matches.join', { matchId: match.id })
  const runner = await begun(owner, match, first)
  sendInput(first, own, runner.tick, 0, 1)
  sendInput(other, others, runner.tick, 1, 2)
  await expect.poll(() => runner.inputs, PATIENT).toEqual([{ move: -1 }, { move: 1 }])
  other.client.socket.terminate()
  await expect.poll(() => runner.inputs, PATIENT).toEqual([{ move: -1 }, { move: 0 }])
  await dying.app.platform.bus.close()
  await expect.poll(() => runner.inputs, PATIENT).toEqual([{ move: 0 }, { move: 0 }])
  expect(runner.isOver).toBe(false)
  await spareOther.client.call('matches.leave', { matchId: match.id })
  await spare.client.request('matches.leave', { matchId: match.id })
}, 30_000)

test('a seat is released too when the message that its socket closed is lost, or its owner had seemed gone', async ({
  cluster,
  ada,
}) => {
  const { nodes, faults, owner, second, third } = cluster
  // Another socket of the player stays: they do not leave the match.
  await using spare = await enterLive(third.url, ada)
  const match = await once<Match>(owner, ada, 'matches.create', { game: 'pong', mode: 'local' })
  const press = async (index: number) => {
    const live = await enterLive(second.url, ada)
    const own = await follow(live, match.id)
    const runner = await begun(owner, match, live)
    sendInput(live, own, runner.tick, 0, index)
    await expect.poll(() => runner.inputs[0], PATIENT).toEqual(runner.game.inputs?.[index])
    return { live, runner }
  }
  const first = await press(1)
  faults.drops = () => true
  first.live.client.socket.terminate()
  await expect.poll(() => second.app.platform.connections.isOnline(ada.id), PATIENT).toBe(false)
  faults.drops = () => false
  expect(first.runner.inputs[0]).toEqual({ move: -1 })
  faults.lose()
  await expect.poll(() => first.runner.inputs[0], PATIENT).toEqual({ move: 0 })

  const { live, runner } = await press(2)
  nodes.get(second.app.platform.node)?.gone(owner.app.platform.node)
  live.client.socket.terminate()
  await expect.poll(() => runner.inputs[0], PATIENT).toEqual({ move: 0 })
  expect(runner.isOver).toBe(false)
  await spare.client.call('matches.leave', { matchId: match.id })
}, 30_000)

test('inputs to a match that no node runs cost one query a second in a cluster, and none without one', async ({
  cluster,
  ada,
}) => {
  const { owner, second } = cluster
  const lookups = async (node: Rally, player: Player, matchId: string) => {
    const rows = vi.spyOn(node.app.platform.database.sql, 'rows')
    await using live = await enterLive(node.url, player)
    const answers = new Set<string | undefined>()
    for (let round = 0; round < 10; round++) {
      answers.add((await live.client.request('live.input', { matchId, input: { move: 1 } })).error)
    }
    expect([...answers]).toEqual(['NOT_LIVE'])
    const { calls } = rows.mock
    rows.mockRestore()
    return calls.filter(([{ name }]) => name === 'live.matches').length
  }
  // One a second.
  expect(await lookups(second, ada, randomUUID())).toBeLessThan(4)
  await using alone = await startRally({ config: quickStart })
  expect(await lookups(alone, await register(alone.url, 'ada'), randomUUID())).toBe(0)

  // The row names a node that is gone: nobody waits for its answer.
  await using live = await enterLive(owner.url, ada)
  const match = await live.client.call<Match>('matches.create', { game: 'pong', mode: 'casual' })
  const { db } = owner.app.platform.database
  await db.match.update({ where: { id: match.id }, data: { status: 'live', nodeId: randomUUID() } })
  expect(await lookups(second, ada, match.id)).toBeLessThan(4)
  await db.match.delete({ where: { id: match.id } })
}, 30_000)

test('a socket tells the matches of several nodes apart, each of which has its first number for its own', async ({
  cluster,
  ada,
}) => {
  const nodes = [cluster.owner, cluster.second, cluster.third]
  await using live = await enterLive(cluster.third.url, ada)
  const matches = await Promise.all(
    nodes.map((node) => once<Match>(node, ada, 'matches.create', { game: 'pong', mode: 'local' })),
  )
  // They may begin while the last is not followed yet.
  const early: Uint8Array[] = []
  live.onFrame = (bytes) => early.push(bytes)
  const followed: Mirror[] = []
  for (const { id: matchId } of matches) {
    const following = { matchId, mode: 'inputs' }
    const { opening } = await live.client.subscribe<LiveInputsSnapshot>('live.onState', following)
    if (!opening.snapshot) throw new Error('no snapshot')
    followed.push(new Mirror(opening.snapshot))
  }
  const streams = followed.map(({ snapshot }) => snapshot.stream ?? -1)
  expect(new Set(streams).size).toBe(3)
  expect(Math.max(...streams)).toBeLessThan(10)
  // What comes is told apart by its number alone: `take` throws for a frame of another match.
  live.onFrame = (bytes) =>
    followed.find(({ snapshot }) => snapshot.stream === decodeLiveFrame(bytes)?.stream)?.take(bytes)
  early.forEach(live.onFrame)
  const runners = await Promise.all(
    nodes.map(async (node, index) => {
      const { id = '' } = matches[index] ?? {}
      await expect.poll(() => node.app.platform.engine.get(id)?.tick ?? 0, PATIENT).toBeGreaterThan(0)
      return node.app.platform.engine.get(id)
    }),
  )
  for (const [index, mirror] of followed.entries()) sendInput(live, mirror, runners[index]?.tick ?? 0, index % 2, 1)
  const held = () => runners.map((runner, index) => runner?.inputs[index % 2])
  await expect.poll(held, PATIENT).toEqual([{ move: -1 }, { move: -1 }, { move: -1 }])
  const checked = () => followed.map(({ checks }) => checks.length > 1)
  await expect.poll(checked, PATIENT).toEqual([true, true, true])
  for (const { checks } of followed) for (const check of checks) expect(check.own).toBe(check.server)
  for (const { id } of matches) await live.client.call('matches.leave', { matchId: id })
}, 30_000)

test('spectators on other nodes see a match as late as those on its own, to the end', async ({ cluster, ada }) => {
  const { owner, second } = cluster
  const delayMs = 1_000
  await using live = await enterLive(owner.url, ada)
  await using spectator = await enterLive(second.url)
  const match = await createLocal(live, 'pong', { pointsToWin: 1, spectatorDelayMs: delayMs })
  const delayed = await follow(spectator, match.id)
  expect(delayed.snapshot).toMatchObject({ status: 'waiting', delayMs })
  await follow(live, match.id)
  const runner = await begun(owner, match, live)
  const leads: number[] = []
  const { onFrame } = spectator
  spectator.onFrame = (bytes) => {
    onFrame(bytes)
    if (!runner.isOver) leads.push(runner.tick - delayed.near)
  }
  await using late = await enterLive(second.url)
  const lateMirror = await follow(late, match.id)
  await ended(live)
  expect(delayed.ended).toBeNull()
  // The match is stored by now, and its end is still on its way to them.
  await using after = await enterLive(second.url)
  const afterMirror = await follow(after, match.id)
  expect(afterMirror.snapshot.now).toBeLessThan(runner.tick)
  await Promise.all([ended(spectator), ended(late), ended(after)])
  for (const mirror of [delayed, lateMirror, afterMirror]) {
    expect(mirror.ended).toEqual({ tick: runner.tick, status: 'finished' })
    expect(mirror.hash).toBe(delayed.hash)
  }
  expect(Math.min(...leads)).toBeGreaterThanOrEqual((delayMs * 60) / 1000)
}, 30_000)

test('a user who gave up a seat does not keep the stream of players when their node learns of it early or never', async ({
  cluster,
  ada,
  ben,
}) => {
  const { second, faults } = cluster
  await using owner = await cluster.start({ matches: { ...quickStart.matches, countdownMs: 2_000 } })
  await using adas = await enterLive(owner.url, ada)
  await using cems = await enterLive(owner.url, await register(owner.url, 'cem'))
  await using live = await enterLive(second.url, ben)
  const entered = async () => {
    const options = { spectatorDelayMs: 1_000 }
    const { id } = await adas.client.call<Match>('matches.create', { game: 'pong', mode: 'casual', options })
    await once(owner, ben, 'matches.join', { matchId: id })
    return { matchId: id }
  }
  const open = (match: object) => live.client.subscribe('live.onState', { ...match, mode: 'inputs' })
  const leave = (match: object) => once(owner, ben, 'matches.leave', match)

  // The announcement comes while the row is read.
  const early = await entered()
  const { sql } = second.app.platform.database
  const readRows = sql.rows.bind(sql)
  let [onRead, release] = [() => {}, () => {}]
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const read = new Promise<void>((resolve) => {
    onRead = resolve
  })
  const rows = vi.spyOn(sql, 'rows').mockImplementation(async (statement, values) => {
    const found = await readRows(statement, values)
    if (statement.name === 'live.matches') {
      onRead()
      await released
    }
    return found
  })
  const opening = open(early)
  await read
  await leave(early)
  release()
  expect((await opening).channel).toBe(`live.onState/${early.matchId}/inputs/delayed`)
  rows.mockRestore()

  // What is announced before the match begins is lost.
  const late = await entered()
  const seated = await open(late)
  expect(seated.channel).toBe(`live.onState/${late.matchId}/inputs`)
  faults.drops = (topic, { payload }) => topic === 'live.announced' && String(payload).includes('"waiting"')
  await leave(late)
  await cems.client.call('matches.join', late)
  const closed = { error: 'STREAM_CLOSED', data: { reason: 'behind' } }
  expect(await seated.events.next(undefined, PATIENT.timeout)).toMatchObject(closed)
  faults.drops = () => false
  await expect.poll(async () => (await open(late)).channel, PATIENT).toBe(`${seated.channel}/delayed`)
  for (const match of [early, late]) await adas.client.call('matches.leave', match)
}, 30_000)

test('the owner encodes states only while somebody follows them on any node', async ({ cluster, ada }) => {
  const { owner, second } = cluster
  await using live = await enterLive(owner.url, ada)
  await using watcher = await enterLive(second.url)
  const match = await createLocal(live, 'pong')
  await follow(live, match.id)
  const runner = await begun(owner, match, live)
  expect(runner.watched).toBe(false)
  const { events, channel } = await watcher.client.subscribe<LiveFrame>('live.onState', { matchId: match.id, rate: 5 })
  await events.take(3)
  expect(runner.watched).toBe(true)
  await watcher.client.call('rpc.unsubscribe', { channel })
  await expect.poll(() => runner.watched, PATIENT).toBe(false)
  await live.client.call('matches.leave', { matchId: match.id })
}, 30_000)
