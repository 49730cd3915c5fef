import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hashState } from '../../src/games/hash.ts'
import { pong } from '../../src/games/pong/index.ts'
import { Simulation } from '../../src/games/simulate.ts'
import { clientOf, next, person, playPong, type RallyClient, screen, untilStatus } from '../netcode/players.ts'
import { connect, within } from '../support/client.ts'
import { type Player, register } from '../support/server.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { startCluster } from './cluster.ts'
import { Follower } from './follower.ts'

const RECONNECTS = 200
/** Streams that were cut off are opened again with back-off. */
const PATIENT = { timeout: 15_000 }
const cluster = startCluster()

/** A player whose next connection leads to a node by chance. */
interface Wanderer {
  readonly player: Player
  readonly client: RallyClient
  readonly proxy: TcpProxy
  reconnects: number
}

async function wanderer(name: string, first: number): Promise<Wanderer> {
  const player = await register(cluster.url(first), name)
  const proxy = await startTcpProxy(cluster.port(first))
  const client = clientOf(proxy.url, player, { backoff: { minMs: 5, maxMs: 60 } })
  onTestFinished(async () => {
    client.close()
    await proxy.close()
  })
  const own: Wanderer = { player, client, proxy, reconnects: -1 }
  client.on('welcome', () => void own.reconnects++)
  return own
}

async function moveOn({ client, proxy }: Wanderer): Promise<void> {
  const back = new Promise<void>((resolve) => {
    const stop = client.on('welcome', () => {
      stop()
      resolve()
    })
  })
  proxy.leadTo(cluster.port(Math.floor(Math.random() * 3)))
  proxy.cut()
  await back
}

/** A client that stays at one node. */
async function resident(player: Player, node: number): Promise<RallyClient> {
  const client = clientOf(cluster.url(node), player, { backoff: { minMs: 5, maxMs: 60 } })
  onTestFinished(() => client.close())
  return client
}

test('200 reconnects of the players of one match to nodes by chance lose nothing', async () => {
  const [ada, ben] = [await wanderer('ada', 0), await wanderer('ben', 1)]
  // The node where the last player enters runs the match: a third one.
  const { code } = await ada.client.matches.create({ game: 'pong', mode: 'casual', options: { pointsToWin: 21 } })
  await using elsewhere = await connect(cluster.url(2), { cookie: ben.player.cookie })
  await elsewhere.call('matches.join', { code })
  const match = await ben.client.matches.getOne({ code })
  const followers = [ada, ben].map(({ client }) => new Follower(client, match.id))
  const plays = [ada, ben].map(({ client }) => playPong(client, match))
  const hashes = plays.map((play) => {
    const seen = new Map<number, number>()
    play.on('confirmed', ({ tick, hash }) => seen.set(tick, hash))
    return seen
  })
  await Promise.all(plays.map((play) => untilStatus(play, 'live')))
  const row = () => cluster.db.match.findUniqueOrThrow({ where: { id: match.id } })
  expect((await row()).nodeId).toBe(elsewhere.welcome.node)

  let stopPlaying = () => {}
  const playing = new Promise<void>((resolve) => {
    stopPlaying = resolve
  })
  const screens = plays.map((play, seat) => {
    const decide = person(seat === 0 ? 0 : 1, 4)
    return screen(playing, (now) => {
      const state = play.frame(now)
      const input = state && decide(state, now)
      if (input) play.input(input)
    })
  })
  const wander = async (one: Wanderer) => {
    while (one.reconnects < RECONNECTS / 2) {
      await moveOn(one)
      await sleep(150 * Math.random() ** 2)
    }
  }
  await Promise.all([ada, ben].map(wander))
  expect(ada.reconnects + ben.reconnects).toBeGreaterThanOrEqual(RECONNECTS)

  // The game goes on: every player sees new keyframes of the same match.
  await Promise.all(plays.map((play) => untilStatus(play, 'live')))
  for (let keyframes = 0; keyframes < 3; keyframes++) {
    await Promise.all(plays.map((play) => next(play, 'confirmed')))
  }
  expect(plays.map(({ figures }) => figures.desyncs)).toEqual([0, 0])
  expect(await row()).toMatchObject({ status: 'live', nodeId: elsewhere.welcome.node })
  stopPlaying()
  await Promise.all(screens)

  await ada.client.matches.leave({ matchId: match.id })
  await expect.poll(async () => (await row()).status, { timeout: 10_000 }).toBe('finished')
  const { version } = await row()
  for (const follower of followers) await expect.poll(() => follower.seq, { timeout: 10_000 }).toBe(version)
  expect(followers.flatMap(({ problems }) => problems)).toEqual([])
  expect(followers.every(({ events }) => events > 0)).toBe(true)

  // Both have played what the node ran, tick by tick.
  const changes = []
  let from: number | null = 0
  let replay = await ben.client.live.getReplay({ matchId: match.id })
  while (from !== null) {
    replay = await ben.client.live.getReplay({ matchId: match.id, from })
    changes.push(...replay.changes.map(([tick, seat, input]) => ({ tick, seat, input: pong.input.parse(input) })))
    from = replay.next
  }
  const { seed, options, ticks } = replay
  const truth = new Simulation(pong, { seed, options: pong.options.parse(options), changes, ticks })
  let compared = 0
  for (const seen of hashes) {
    for (const [tick, hash] of [...seen].sort(([one], [other]) => one - other)) {
      truth.seek(tick)
      expect(hash, `tick ${tick}`).toBe(hashState(truth.state))
      compared++
    }
  }
  expect(compared).toBeGreaterThanOrEqual(6)
  expect(changes.length).toBeGreaterThan(10)
  for (const play of plays) play.stop()
}, 120_000)

describe('while Redis is away', () => {
  const cutFor5s = async (): Promise<void> => {
    cluster.wayToRedis.leadTo(undefined)
    await sleep(5_000)
    cluster.wayToRedis.leadTo(cluster.redis.port)
  }
  const restartEmpty = async (): Promise<void> => {
    await cluster.redis.stop()
    await sleep(500)
    await cluster.redis.start()
  }

  test.each([
    ['for five seconds', 'cem', cutFor5s],
    ['because it is restarted empty', 'dee', restartEmpty],
  ] as const)(
    '%s, every node goes on by itself, and after that no stream is stale',
    async (_how, name, interrupt) => {
      const player = await register(cluster.url(0), name)
      const clients = await Promise.all([0, 1, 2].map((node) => resident(player, node)))
      const [first, second, third] = clients
      if (!first || !second || !third) throw new Error('nobody there')
      const waiting = await first.matches.create({ game: 'pong', mode: 'casual', visibility: 'public' })
      const local = await second.matches.create({ game: 'pong', mode: 'local' })
      const followers = clients.map((client) => new Follower(client, waiting.id))
      const lobbies = clients.map((client) => {
        const lobby = { ids: [] as string[] }
        client.matches.onLobby(
          {},
          {
            next: ({ matches }) => {
              lobby.ids = matches.map(({ id }) => id)
            },
          },
        )
        return lobby
      })
      const own = playPong(second, local)
      await untilStatus(own, 'live')
      // The same match, by way of a node that does not run it.
      const remote = playPong(third, local)
      await untilStatus(remote, 'live')
      let [presses, welcomes] = [0, 0]
      third.on('welcome', () => void welcomes++)
      const pressing = setInterval(() => remote.input({ move: ++presses % 2 === 0 ? 1 : -1 }, 1), 30)
      onTestFinished(() => clearInterval(pressing))
      for (const lobby of lobbies) await expect.poll(() => lobby.ids, PATIENT).toContain(waiting.id)

      const interrupted = interrupt()
      const during = await first.matches.create({ game: 'pong', mode: 'casual', visibility: 'public' })
      await second.matches.leave({ matchId: waiting.id })
      // What runs at the player's own node needs no Redis.
      await next(own, 'confirmed')
      await interrupted

      for (const lobby of lobbies) {
        await expect.poll(() => lobby.ids, PATIENT).toContain(during.id)
        await expect.poll(() => lobby.ids, PATIENT).not.toContain(waiting.id)
      }
      const { version } = await cluster.db.match.findUniqueOrThrow({ where: { id: waiting.id } })
      for (const follower of followers) {
        await expect.poll(() => follower.seq, PATIENT).toBe(version)
        expect(follower.problems).toEqual([])
      }
      // And each node hears of the others again.
      const after = await clients[2]?.matches.create({ game: 'pong', mode: 'casual', visibility: 'public' })
      for (const lobby of lobbies) await expect.poll(() => lobby.ids, PATIENT).toContain(after?.id)
      expect(own.status).toBe('live')
      // The third node was there all the time, and its player sees the match again.
      await untilStatus(remote, 'live')
      await next(remote, 'confirmed')
      expect([remote.figures.desyncs, welcomes]).toEqual([0, 0])
      clearInterval(pressing)
      for (const play of [own, remote]) play.stop()
      for (const { id } of [local, during, after ?? during])
        await first.matches.leave({ matchId: id }).catch(() => undefined)
    },
    60_000,
  )
})

test('a session that ends at one node has its sockets closed at the others within a second', async () => {
  const player = await register(cluster.url(0), 'eve')
  const here = await connect(cluster.url(0), { cookie: player.cookie })
  const others = await Promise.all([1, 2].map((node) => connect(cluster.url(node), { cookie: player.cookie })))
  await here.call('auth.logout')
  for (const { closed } of others) expect(await within(closed, 'the close', 1_500)).toMatchObject({ code: 4501 })
})

test('wrong codes count at all nodes together', async () => {
  const player = await register(cluster.url(0), 'fay')
  const answers: (string | undefined)[] = []
  for (let tries = 0; tries < 7; tries++) {
    await using client = await connect(cluster.url(tries % 3))
    await client.call('auth.begin', { username: player.username })
    answers.push((await client.request('auth.verify', { code: '000000' })).error)
  }
  expect(answers.slice(0, 5)).toEqual(Array(5).fill('INVALID_CODE'))
  expect(answers.slice(5)).toEqual(['RATE_LIMITED', 'RATE_LIMITED'])
})

test('a node that is killed takes nothing with it but its own matches, and players are told', async () => {
  const [gil, hal] = [await register(cluster.url(0), 'gil'), await register(cluster.url(0), 'hal')]
  const ivy = await register(cluster.url(0), 'ivy')
  const [atFirst, atSecond, atThird] = await Promise.all([resident(gil, 0), resident(hal, 1), resident(hal, 2)])
  if (!atFirst || !atSecond || !atThird) throw new Error('nobody there')
  const ofThird = await atThird.matches.create({ game: 'pong', mode: 'local' })
  const ofFirst = await atFirst.matches.create({ game: 'pong', mode: 'local' })
  const [watched, other] = [new Follower(atFirst, ofThird.id), new Follower(atSecond, ofFirst.id)]
  const status = (id: string) => cluster.db.match.findUniqueOrThrow({ where: { id } }).then((row) => row.status)
  for (const { id } of [ofThird, ofFirst]) await expect.poll(() => status(id), PATIENT).toBe('live')
  const watch = playPong(atSecond, ofFirst)
  await untilStatus(watch, 'live')
  // A user with a socket to the third node alone, as others see her from the first.
  await resident(ivy, 2)
  const presence: string[] = []
  const stop = atFirst.users.onPresence(
    { userIds: [ivy.id] },
    { next: ({ users }) => presence.push(...users.map((user) => user.status)) },
  )
  await expect.poll(() => presence.at(-1), PATIENT).toBe('online')

  await cluster.nodes[2]?.end('SIGKILL')
  // The lease is 5 s, and is looked at once a second.
  await expect.poll(() => status(ofThird.id), PATIENT).toBe('aborted')
  const { version, endReason } = await cluster.db.match.findUniqueOrThrow({ where: { id: ofThird.id } })
  expect(endReason).toBe('node-lost')
  await expect.poll(() => watched.seq, PATIENT).toBe(version)
  expect([watched.problems, other.problems]).toEqual([[], []])
  // The match of another node has not noticed.
  await next(watch, 'confirmed')
  expect(await status(ofFirst.id)).toBe('live')
  // She is away since the node's row is gone, and offline 10 s later; as if most of that had passed.
  const departed = { where: { userId: ivy.id }, data: { at: new Date(Date.now() - 9_500) } }
  await expect.poll(() => cluster.db.departure.updateMany(departed), PATIENT).toEqual({ count: 1 })
  await expect.poll(() => presence.at(-1), PATIENT).toBe('offline')
  expect(presence).not.toContain('playing')
  stop()

  await cluster.nodes[2]?.start()
  await using back = await connect(cluster.url(2), { cookie: gil.cookie })
  expect(back.welcome.user).not.toBeNull()
  watch.stop()
}, 90_000)

test('a node that is killed while it looks for matches leaves nobody in the queue, and nobody in two matches', async () => {
  const { db } = cluster
  // Each has a page at the node that dies, and one at another.
  const players = await Promise.all(
    ['jo', 'kim', 'lea', 'max'].map((name) => register(cluster.url(2), `${name}_waits`)),
  )
  const open = (node: number) =>
    Promise.all(players.map(({ cookie }) => connect(cluster.url(node), { cookie, deadlineMs: PATIENT.timeout })))
  const [here, others] = [await open(2), await open(1)]
  onTestFinished(async () => void (await Promise.all(others.map((client) => client.close()))))
  const userIds = players.map(({ id }) => id)
  const [first, ...rest] = here
  await first?.call('matches.enqueue', { game: 'pong' })
  // The first one's entry is locked, so the pass that finds the others waits in the middle of its transaction.
  await db.$transaction(
    async (holder) => {
      await holder.$queryRaw`SELECT 1 FROM queue_entries WHERE user_id = ${userIds[0]} FOR UPDATE`
      await Promise.all(rest.map((client) => client.call('matches.enqueue', { game: 'pong' })))
      const passes = () => db.$queryRaw<unknown[]>`
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
        AND query LIKE '%queue_entries%FOR UPDATE'`
      await expect.poll(passes, PATIENT).not.toEqual([])
      await cluster.nodes[2]?.end('SIGKILL')
    },
    { timeout: 20_000 },
  )
  const entries = () => db.queueEntry.findMany({ where: { userId: { in: userIds } } })
  const statuses = async () => (await entries()).map(({ status }) => status)
  await expect.poll(statuses, PATIENT).toEqual(userIds.map(() => 'matched'))
  const seats = await db.seat.findMany({ where: { userId: { in: userIds } }, select: { userId: true, matchId: true } })
  const found = (await entries()).map(({ userId, matchId }) => ({ userId, matchId }))
  const byUser = (a: { userId: string | null }, b: { userId: string | null }) =>
    `${a.userId}`.localeCompare(`${b.userId}`)
  expect(seats.toSorted(byUser)).toEqual(found.toSorted(byUser))
}, 60_000)
