import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RallyError } from '../../src/client/index.ts'
import { hashState } from '../../src/games/hash.ts'
import { pong } from '../../src/games/pong/index.ts'
import { nextFloat, seedPrng } from '../../src/games/prng.ts'
import { Simulation } from '../../src/games/simulate.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { type Player, type Rally, register, startRally } from '../support/server.ts'
import {
  clientOf,
  createPong,
  next,
  type PongPlay,
  patient,
  person,
  playPong,
  type RallyClient,
  screen,
  untilStatus,
} from './players.ts'

const RECONNECTS = 200
const NAMES = ['ada', 'ben', 'cem', 'dee'] as const
const EACH = RECONNECTS / NAMES.length
/** A dead connection is noticed after 1.5 of these. */
const HEARTBEAT_MS = 400

let rally: Rally
let players: Player[]

beforeAll(async () => {
  rally = await startRally({ config: { ...patient, heartbeatMs: HEARTBEAT_MS } })
  players = await Promise.all(NAMES.map((name) => register(rally.url, name)))
})
afterAll(() => rally?.stop())

setFlagsFromString('--expose-gc')
const collectGarbage: unknown = runInNewContext('gc')

/** Bytes in use once all garbage is gone. */
async function heapUsed(): Promise<number> {
  if (typeof collectGarbage !== 'function') throw new Error('no garbage collector')
  // What waits for a turn of the loop lets go of more.
  for (let round = 0; round < 4; round++) {
    collectGarbage()
    await sleep(20)
  }
  return process.memoryUsage().heapUsed
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** One person with a bad network. */
interface Seat {
  readonly player: Player
  readonly proxy: FaultProxy
  readonly client: RallyClient
  readonly random: () => number
  readonly followers: Follower[]
  reconnects: number
}

/** What one listener was told of one match, checked as it comes. */
class Follower {
  seq = -1
  events = 0
  snapshots = 0
  readonly problems: string[] = []
  #wake = () => {}

  constructor(client: RallyClient, matchId: Match['id']) {
    client.matches.onUpdate(
      { matchId },
      {
        next: ({ version }, { kind, seq }) => {
          if (version !== seq) this.problems.push(`version ${version} as ${seq}`)
          if (kind === 'event' && seq !== this.seq + 1) this.problems.push(`event ${seq} after ${this.seq}`)
          if (kind === 'snapshot' && seq < this.seq) this.problems.push(`snapshot ${seq} after ${this.seq}`)
          if (kind === 'event') this.events++
          else this.snapshots++
          this.seq = seq
          this.#wake()
        },
        error: (error) => void this.problems.push(error.message),
      },
    )
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

/** Breaks the connection of one client again and again, at any moment, in every way. */
async function breakAgainAndAgain(seat: Seat, upTo: number): Promise<void> {
  const { proxy, client, random, followers } = seat
  while (seat.reconnects < upTo) {
    const before = seat.reconnects
    const snapshots = followers.map((follower) => follower.snapshots)
    const way = random()
    if (way < 0.2) proxy.halfOpen()
    else if (way < 0.4) {
      proxy.stall(100 + 300 * random())
      await sleep(300 * random())
      proxy.cut()
    } else proxy.cut()
    // Sometimes the next one comes before the client is back.
    if (random() < 0.8) {
      while (seat.reconnects === before) await new Promise<void>((resolve) => onceWelcome(client, resolve))
    }
    // And sometimes not before its streams go on.
    if (random() < 0.4) {
      await Promise.all(followers.map((one, index) => one.until(() => one.snapshots > (snapshots[index] ?? 0))))
    }
    await sleep(400 * random() ** 2)
  }
}

function onceWelcome(client: RallyClient, then: () => void): void {
  const stop = client.on('welcome', () => {
    stop()
    then()
  })
}

/** Creates matches until told to stop, each as often as it takes with one `eid`. Answers their ids. */
async function write({ client, random }: Seat, isOver: () => boolean): Promise<string[]> {
  const created: string[] = []
  for (let count = 0; !isOver(); count++) {
    const eid = `write-${client.user?.username}-${count}`
    for (let isDone = false; !isDone; ) {
      try {
        const { id } = await client.matches.create({ game: 'connect-four', mode: 'casual' }, { eid, timeoutMs: 3_000 })
        created.push(id)
        isDone = true
      } catch (error) {
        if (!(error instanceof RallyError) || !error.temporary) throw error
        await sleep(error.retryAfterMs ?? 50)
      }
    }
    await sleep(500 * random())
  }
  return created
}

test('200 reconnects lose, double and swap nothing, execute each write once, and leave no memory behind', async () => {
  const seats: Seat[] = []
  for (const [index, player] of players.entries()) {
    const proxy = await startFaultProxy(rally.app.port, { latencyMs: 5, jitterMs: 10 })
    const prng = seedPrng(index + 1)
    const seat: Seat = {
      player,
      proxy,
      client: clientOf(proxy.url, player, { backoff: { minMs: 5, maxMs: 60 }, connectTimeoutMs: 1_000 }),
      random: () => nextFloat(prng),
      followers: [],
      reconnects: -1,
    }
    seat.client.on('welcome', () => seat.reconnects++)
    seats.push(seat)
  }
  const [a, b, c, d] = seats.map(({ client }) => client)
  if (!a || !b || !c || !d) throw new Error('nobody there')
  const matches = [await createPong(a, b, 21), await createPong(c, d, 21)] as const
  const followers = seats.flatMap((seat) =>
    matches.map(({ id }) => {
      const of = new Follower(seat.client, id)
      seat.followers.push(of)
      return { id, of }
    }),
  )
  const plays = seats.map(({ client }, index): PongPlay => playPong(client, index < 2 ? matches[0] : matches[1]))
  const hashes = plays.map((play) => {
    const seen = new Map<number, number>()
    play.on('confirmed', ({ tick, hash }) => seen.set(tick, hash))
    return seen
  })
  await Promise.all(plays.map((play) => untilStatus(play, 'live')))

  let isOver = false
  let stopPlaying = () => {}
  const playing = new Promise<void>((resolve) => {
    stopPlaying = resolve
  })
  const screens = plays.map((play, index) => {
    const decide = person(index % 2 === 0 ? 0 : 1, 4)
    return screen(playing, (now) => {
      const state = play.frame(now)
      const input = state && decide(state, now)
      if (input) play.input(input)
    })
  })
  const writers = seats.map((seat) => write(seat, () => isOver))

  // The first quarter fills what is filled once: pools, caches, compiled code.
  await Promise.all(seats.map((seat) => breakAgainAndAgain(seat, EACH / 4)))
  const heapBefore = await heapUsed()
  await Promise.all(seats.map((seat) => breakAgainAndAgain(seat, EACH)))
  isOver = true
  const created = await Promise.all(writers)
  for (const { proxy } of seats) proxy.set({ latencyMs: 0, jitterMs: 0 })
  await Promise.all(plays.map((play) => untilStatus(play, 'live')))
  await Promise.all(plays.map((play) => next(play, 'confirmed')))
  const heapAfter = await heapUsed()
  stopPlaying()
  await Promise.all(screens)

  const reconnects = seats.reduce((sum, seat) => sum + seat.reconnects, 0)
  const writes = created.reduce((sum, ids) => sum + ids.length, 0)
  const mebibytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1)
  process.stdout.write(
    `${reconnects} reconnects, ${writes} writes, ${followers.reduce((sum, { of }) => sum + of.events, 0)} events and ` +
      `${followers.reduce((sum, { of }) => sum + of.snapshots, 0)} snapshots followed; heap ${mebibytes(heapBefore)} MiB ` +
      `after a quarter, ${mebibytes(heapAfter)} MiB at the end\n`,
  )
  expect(reconnects).toBeGreaterThanOrEqual(RECONNECTS)

  // Every write happened once: what was answered is there, and nothing else.
  const { db } = await rally.database.open()
  for (const [index, ids] of created.entries()) {
    const rows = await db.match.findMany({
      where: { game: 'connect-four', seats: { some: { userId: players[index]?.id ?? '' } } },
      select: { id: true },
    })
    expect(rows.map(({ id }) => id).sort()).toEqual([...ids].sort())
  }
  expect(writes).toBeGreaterThan(20)

  // Every event came in its turn, and everybody knows the last.
  for (const { id, of } of followers) {
    const { version } = await db.match.findUniqueOrThrow({ where: { id } })
    await of.until(() => of.seq >= version)
    expect(of.problems).toEqual([])
    expect(of.snapshots).toBeGreaterThan(10)
  }

  // Everybody played the match that the server ran.
  let compared = 0
  for (const [index, seen] of hashes.entries()) {
    const runner = rally.app.platform.engine.get((index < 2 ? matches[0] : matches[1]).id)
    if (!runner) throw new Error('the match is gone')
    const options = pong.options.parse(runner.options)
    const changes = runner.log.map((change) => ({ ...change, input: pong.input.parse(change.input) }))
    const truth = new Simulation(pong, { seed: runner.seed, options, changes, ticks: runner.tick })
    for (const [tick, hash] of [...seen].sort(([one], [other]) => one - other)) {
      truth.seek(tick)
      expect(hash, `tick ${tick}`).toBe(hashState(truth.state))
      compared++
    }
  }
  expect(compared).toBeGreaterThan(20)
  expect(plays.map(({ figures }) => figures.desyncs)).toEqual([0, 0, 0, 0])
  for (const { figures } of plays) expect(figures.statesKept).toBeLessThanOrEqual(3 * 60 + 1)
  expect(heapAfter - heapBefore).toBeLessThan(6 * 1024 * 1024)

  for (const play of plays) play.stop()
  for (const { client } of seats) client.close()
  await Promise.all(seats.map(({ proxy }) => proxy.close()))
}, 120_000)
