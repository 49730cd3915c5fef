import { randomBytes } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import type { MemoryCluster } from '../../src/bus/memory.ts'
import { readConfig } from '../../src/config.ts'
import type { Tournament } from '../../src/modules/tournaments/types.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { type Newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { matchTimes } from '../support/rally-test.ts'
import { type Rally, startRally } from '../support/server.ts'
import { createTournament, doDueWork, followTournament, giveUp } from './support.ts'

const secret = () => randomBytes(32).toString('base64')
const { secrets } = readConfig({ JWT_SECRET: secret(), COOKIE_SECRET: secret(), ENCRYPTION_KEY: secret() })

function startNode(database: TestDatabase, cluster?: MemoryCluster): Promise<Rally> {
  const config = {
    secrets,
    matches: matchTimes({ countdownMs: 50, comeBackMs: 30_000 }),
    tournaments: { noShowMs: 30_000, countdownMs: 50, maxActive: 5 },
  }
  return startRally({ database, config, ...(cluster && { cluster }) })
}

async function ownDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  return database
}

const worst = (seeds: readonly (number | null)[]) => Math.max(...seeds.map((seed) => seed ?? 0))

test('a tournament goes on after a restart between any two of its steps, without anybody who asks for it', async () => {
  const database = await ownDatabase()
  let rally = await startNode(database)
  onTestFinished(() => rally.stop())
  const players: readonly Newcomer[] = await newcomers(rally, 4)
  const cookies = players.map(({ player }) => player)
  let clients = players.map(({ client }) => client)
  const [owner] = clients
  if (!owner) throw new Error('nobody plays')
  const { id: tournamentId } = await createTournament(owner)

  const restart = async () => {
    await rally.stop()
    rally = await startNode(database)
    clients = await Promise.all(cookies.map((player) => openSocket(rally, player)))
  }
  const call = (n: number, type: string, data: object = { tournamentId }) => clients[n]?.call<Tournament>(type, data)
  const read = async () => {
    const tournament = await call(0, 'tournaments.getOne')
    if (!tournament) throw new Error('there is no tournament')
    return tournament
  }

  for (const n of clients.keys()) await call(n, 'tournaments.join')
  await restart()
  await call(0, 'tournaments.start')
  for (const round of [1, 2]) {
    await restart()
    await doDueWork(rally)
    // Announced matches wait for their players, who come to the new process. One that was live already is made again.
    await restart()
    const pairings = (await read()).pairings.filter((pairing) => pairing.round === round)
    expect(pairings.map(({ status }) => status)).not.toContain('decided')
    for (const { seeds, matchId, slot } of pairings) {
      const { entrants } = await read()
      const loser = cookies.findIndex(({ id }) => entrants.find(({ seed }) => seed === worst(seeds))?.userId === id)
      const [player, client] = [cookies[loser], clients[loser]]
      if (!player || !client) throw new Error('the loser is nobody')
      await eventually(
        async () => {
          await doDueWork(rally)
          return (await read()).pairings.find((each) => each.round === round && each.slot === slot)
        },
        (pairing) => pairing?.status === 'playing',
      )
      const now = (await read()).pairings.find((each) => each.round === round && each.slot === slot)
      await giveUp({ client }, now?.matchId ?? matchId)
      await eventually(read, ({ pairings }) =>
        pairings.some((each) => each.round === round && each.slot === slot && each.status === 'decided'),
      )
    }
  }
  await restart()
  expect(await read()).toMatchObject({ status: 'finished', winner: { seed: 1, userId: cookies[0]?.id } })
}, 60_000)

test('players on two nodes follow one tournament, whose work either node does', async () => {
  const database = await ownDatabase()
  const cluster: MemoryCluster = new Map()
  const [first, second] = [await startNode(database, cluster), await startNode(database, cluster)]
  onTestFinished(async () => {
    await first.stop()
    await second.stop()
  })
  const players = [...(await newcomers(first, 2)), ...(await newcomers(second, 2))]
  const [owner, ada, ben, cem] = players
  if (!owner || !ada || !ben || !cem) throw new Error('too few players')
  const { id: tournamentId } = await createTournament(owner.client)
  const followers = await Promise.all([owner, cem].map(({ client }) => followTournament(client, tournamentId)))
  for (const { client } of players) await client.call('tournaments.join', { tournamentId })
  await owner.client.call('tournaments.start', { tournamentId })
  const invites = await cem.client.subscribe<unknown, { invites: { reason: string }[] }>('matches.onInvite')

  await doDueWork(first)
  const asked = await invites.events.next()
  expect(asked.data.invites).toMatchObject([{ reason: 'tournament' }])
  for (const [slot, loser] of [cem, ben].entries()) {
    const pairing = await followers[1]?.pairing(1, slot, 'playing')
    await giveUp(loser, pairing?.matchId ?? null)
    for (const follower of followers) await follower.pairing(1, slot, 'decided')
  }
  await doDueWork(second)
  const final = await followers[0]?.pairing(2, 0, 'playing')
  await giveUp(owner, final?.matchId ?? null)
  const ends = await Promise.all(followers.map((follower) => follower.until(({ status }) => status === 'finished')))
  expect(ends[0]).toEqual(ends[1])
  expect(ends[0]?.winner?.userId).toBe(ada.player.id)
})
