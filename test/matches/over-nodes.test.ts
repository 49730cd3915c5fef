import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { MemoryCluster } from '../../src/bus/memory.ts'
import { games } from '../../src/games/index.ts'
import { OwnedMatches } from '../../src/modules/matches/lifecycle/owned-matches.ts'
import { MatchFeed } from '../../src/modules/matches/match-feed.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { newcomer, openSocket } from '../support/newcomers.ts'
import type { Rally } from '../support/server.ts'
import { CONNECT_FOUR, create, follow, playConnectFour, startQuickRally } from './support.ts'

// Three nodes on one database. Rows are not compared with what runs, so that only messages between nodes can help.

let database: TestDatabase
let a: Rally
let b: Rally
let c: Rally
const cluster: MemoryCluster = new Map()

async function startNode(): Promise<Rally> {
  const config = a ? { secrets: a.config.secrets } : {}
  return startQuickRally({ comeBackMs: 1_500 }, { database, cluster, config })
}

beforeAll(async () => {
  vi.spyOn(OwnedMatches.prototype, 'compare').mockImplementation(async function* () {})
  database = await createTestDatabase()
  a = await startNode()
  ;[b, c] = await Promise.all([startNode(), startNode()])
})
afterAll(async () => {
  await Promise.all([a, b, c].map((node) => node.stop()))
  await database.drop()
  vi.restoreAllMocks()
})

/** A live match of a player at `a` and one at `b`, which runs on `b`, as a stranger at `c` sees it. */
async function startAcross(data: object = {}) {
  const [first, second] = await Promise.all([newcomer(a), newcomer(b)])
  const { id, code } = await create(first.client, data)
  const follower = await follow(await openSocket(c), id)
  await second.client.call('matches.join', { code })
  await follower.live()
  expect([a, b, c].map(({ app }) => app.platform.engine.get(id) !== undefined)).toEqual([false, true, false])
  return { id, first, second, follower }
}

const isAway = ({ players }: { players: readonly { connected: boolean }[] }) => players[0]?.connected === false

test.concurrent('a player who drops from a node that does not run the match loses in time, and all nodes hear of it', async () => {
  const { id, first, second, follower } = await startAcross()
  const own = await follow(second.client, id)
  await first.drop()
  const { returnBy } = await follower.until(isAway)
  const over = await follower.over()
  expect(over).toMatchObject({ status: 'finished', winnerSeat: 1, endReason: 'forfeit' })
  expect(over.finishedAt).toBeGreaterThanOrEqual(returnBy ?? Number.POSITIVE_INFINITY)
  expect(await own.over()).toEqual(over)
})

test.concurrent('a player who comes back to another node plays on', async () => {
  const { id, first, second, follower } = await startAcross(CONNECT_FOUR)
  await first.drop()
  const { returnBy = Number.POSITIVE_INFINITY } = await follower.until(isAway)
  const elsewhere = await openSocket(c, first.player)
  await follower.until((match) => !isAway(match))
  // When the time to come back is over, the node that runs the match has to know of it.
  await eventually(
    async () => Date.now(),
    (now) => now > returnBy + 600,
  )
  await playConnectFour([elsewhere, second.client], id)
  expect(await follower.over()).toMatchObject({ status: 'finished', winnerSeat: 0, endReason: null })
})

test.concurrent('a player is away once the last socket to any node is closed', async () => {
  const { first, follower } = await startAcross()
  const elsewhere = await openSocket(c, first.player)
  const count = () => c.app.platform.database.db.presence.count({ where: { userId: first.player.id } })
  await eventually(count, (nodes) => nodes === 2)
  await first.drop()
  await eventually(count, (nodes) => nodes === 1)
  expect(follower.catchUp().players[0]?.connected).toBe(true)
  elsewhere.socket.terminate()
  await follower.until(isAway)
  expect(await follower.over()).toMatchObject({ winnerSeat: 1, endReason: 'forfeit' })
})

test.concurrent('the row is right after a player came and went on two nodes at once', async () => {
  const [player, watcher] = [await newcomer(a), await newcomer(c)]
  let elsewhere = await openSocket(b, player.player)
  const follower = await follow(watcher.client, (await create(player.client)).id)
  for (let round = 0; round < 8; round++) {
    elsewhere.socket.terminate()
    await player.drop()
    await follower.until(isAway)
    ;[elsewhere] = await Promise.all([openSocket(b, player.player), player.comeBack()])
    await follower.until((match) => !isAway(match))
  }
})

test.concurrent('a player who leaves at another node than runs the match loses at once', async () => {
  const { id, first, follower } = await startAcross()
  await first.client.call('matches.leave', { matchId: id })
  expect(await follower.over()).toMatchObject({ status: 'finished', winnerSeat: 1, endReason: 'forfeit' })
})

test.concurrent('a player is away whose socket closes while it joins, and comes back by another node', async () => {
  const [host, guest] = await Promise.all([newcomer(a), newcomer(b)])
  const { id } = await create(host.client)
  const follower = await follow(host.client, id)
  await guest.drop()
  const closing = await openSocket(c, guest.player)
  // Nobody waits for the answer.
  closing.request('matches.join', { matchId: id }).catch(() => undefined)
  closing.socket.close()
  await follower.until(({ players }) => players[1]?.connected === false)
  await guest.comeBack()
  await follower.live()
  await guest.client.call('matches.leave', { matchId: id })
})

test.concurrent('of several nodes that want to begin a match one does', async () => {
  const { db } = a.app.platform.database
  const { client } = await newcomer(a)
  for (let round = 0; round < 10; round++) {
    // Its player has left, so that no node watches its countdown.
    const { id } = await create(client, { mode: 'local' })
    await client.call('matches.leave', { matchId: id })
    const startsAt = new Date(Date.now() - 1)
    await db.match.update({ where: { id }, data: { status: 'waiting', startsAt, rulesVersion: 99 } })
    const begun: string[] = []
    await Promise.all(
      [a, b, c, a, b, c].map(({ app: { platform } }) => {
        const owned = new OwnedMatches(platform, new MatchFeed(platform), () => begun.push(platform.node))
        return owned.claim(id, startsAt)
      }),
    )
    expect(begun).toHaveLength(1)
    const row = await db.match.findUniqueOrThrow({ where: { id } })
    // The rules are those of the node that runs it, whichever made it.
    expect(row).toMatchObject({ fence: 1, nodeId: begun[0], rulesVersion: games.pong.version })
    await db.match.update({ where: { id }, data: { status: 'aborted' } })
  }
})

test.concurrent('a match whose countdown was watched by a node that stopped begins on another', async () => {
  const leaving = await startNode()
  const [host, guest] = await Promise.all([newcomer(a), newcomer(b)])
  const { id } = await create(host.client)
  const follower = await follow(host.client, id)
  const passing = await openSocket(leaving, guest.player)
  await passing.call('matches.join', { matchId: id })
  // The guest's socket to `b` stays.
  await leaving.app.stop()
  await follower.live(20_000)
  await guest.client.call('matches.leave', { matchId: id })
}, 30_000)
