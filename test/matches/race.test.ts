import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Message } from '../support/client.ts'
import { type Newcomer, newcomer, newcomers, openSocket } from '../support/newcomers.ts'
import { execute } from '../support/postgres.ts'
import type { Rally } from '../support/server.ts'
import { create, follow, startQuickRally } from './support.ts'

const RACERS = 64
const ROUNDS = 20

let rally: Rally
let racers: Newcomer[]
beforeAll(async () => {
  // The countdown is part of the race: a late player finds that the match has begun.
  rally = await startQuickRally({ countdownMs: 50, maxActive: 1_000 })
  racers = await newcomers(rally, RACERS)
}, 60_000)
afterAll(() => rally.stop())

const tally = (answers: readonly Message[]) => {
  const counts = new Map<string, number>()
  for (const { error = 'seated' } of answers) counts.set(error, (counts.get(error) ?? 0) + 1)
  return counts
}

describe('the last seat', () => {
  test(`is one player's, of ${RACERS} who want it, ${ROUNDS} times over`, async () => {
    const host = await newcomer(rally)
    for (let round = 0; round < ROUNDS; round++) {
      const match = await create(host.client)
      const follower = await follow(host.client, match.id)
      const by = round % 2 === 0 ? { matchId: match.id } : { code: match.code }
      const answers = await Promise.all(
        racers.map(({ client }) => client.request('matches.join', by, { deadlineMs: 15_000 })),
      )
      const counts = tally(answers)
      expect(counts.get('seated')).toBe(1)
      expect((counts.get('MATCH_FULL') ?? 0) + (counts.get('MATCH_CLOSED') ?? 0)).toBe(RACERS - 1)
      const winner = racers[answers.findIndex(({ error }) => error === undefined)]
      const live = await follower.live()
      expect(live.players.map(({ userId }) => userId)).toEqual([host.player.id, winner?.player.id])
      // Joined, begun, and nothing else.
      expect(live.version).toBe(3)
      await host.client.call('matches.leave', { matchId: match.id })
    }
    await host.drop()
  }, 120_000)

  test('is given once to a user who asks by several sockets at once, and again', async () => {
    const [host, guest] = [await newcomer(rally), await newcomer(rally)]
    const sockets = await Promise.all(Array.from({ length: 8 }, () => openSocket(rally, guest.player)))
    const match = await create(host.client)
    const answers = await Promise.all(sockets.map((socket) => socket.request('matches.join', { matchId: match.id })))
    expect(tally(answers)).toEqual(new Map([['seated', sockets.length]]))
    for (const { data } of answers) {
      expect(data).toMatchObject({ players: [{ userId: host.player.id }, { seat: 1, userId: guest.player.id }] })
    }
    await Promise.all(sockets.map((socket) => socket.close()))
  })

  test('stays with its player when the same requests come again', async () => {
    const host = await newcomer(rally)
    const match = await create(host.client)
    const eids = racers.map(() => randomUUID())
    const ask = (client: Newcomer['client'], index: number) =>
      client.request('matches.join', { matchId: match.id }, { eid: eids[index] ?? '', deadlineMs: 15_000 })
    const twice = await Promise.all(racers.flatMap(({ client }, index) => [ask(client, index), ask(client, index)]))
    expect(tally(twice).get('seated')).toBe(2)
    const [winner] = twice.flatMap(({ error }, index) => (error === undefined ? [Math.floor(index / 2)] : []))
    // The answers are kept, also after a seat is free again.
    await racers[winner ?? 0]?.client.call('matches.leave', { matchId: match.id })
    const later = await Promise.all(racers.map(({ client }, index) => ask(client, index)))
    expect(later.map(({ error, data }) => [error, data])).toEqual(
      racers.map((_, index) => [twice[2 * index]?.error, twice[2 * index]?.data]),
    )
  })
})

test('a request that conflicts with another transaction is served all the same', async () => {
  const [host, guest] = [await newcomer(rally), await newcomer(rally)]
  const match = await create(host.client)
  const rival = new pg.Client({ connectionString: rally.database.url })
  await rival.connect()
  try {
    await rival.query('BEGIN')
    await rival.query('SELECT 1 FROM matches WHERE id = $1 FOR UPDATE', [match.id])
    const joined = guest.client.request('matches.join', { matchId: match.id })
    const waits = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    let waiting = 0
    while (waiting === 0) waiting = (await execute(rally.database.url, waits)).rowCount ?? 0
    // Now each waits for the other: Postgres ends the one that began to wait first.
    await rival.query('SELECT 1 FROM users WHERE id = $1 FOR UPDATE', [guest.player.id])
    await rival.query('COMMIT')
    expect(await joined).toMatchObject({ data: { players: [{}, { userId: guest.player.id }] } })
  } finally {
    await rival.end()
  }
})

test('a match ends when both players leave at the same moment', async () => {
  await using slow = await startQuickRally({ countdownMs: 60_000 })
  const [host, guest] = [await newcomer(slow), await newcomer(slow)]
  const match = await create(host.client)
  await guest.client.call('matches.join', { matchId: match.id })
  const rival = new pg.Client({ connectionString: slow.database.url })
  await rival.connect()
  try {
    await rival.query('BEGIN')
    await rival.query('SELECT 1 FROM matches WHERE id = $1 FOR UPDATE', [match.id])
    const leaving = [host, guest].map(({ client }) => client.call('matches.leave', { matchId: match.id }))
    const waits = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    let waiting = 0
    while (waiting < 2) waiting = (await execute(slow.database.url, waits)).rowCount ?? 0
    await rival.query('COMMIT')
    const statuses = (await Promise.all(leaving)).map(({ status }) => status)
    expect(statuses.toSorted()).toEqual(['aborted', 'waiting'])
    const over = await host.client.call('matches.getOne', { matchId: match.id })
    expect(over).toMatchObject({ status: 'aborted', endReason: 'left', startsAt: null })
  } finally {
    await rival.end()
  }
})
