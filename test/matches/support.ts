import { randomBytes, randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { MemoryCluster } from '../../src/bus/memory.ts'
import { type Config, readConfig } from '../../src/config.ts'
import type { Database } from '../../src/db/database.ts'
import { Match } from '../../src/modules/matches/types.ts'
import type { Message, Stream, TestClient } from '../support/client.ts'
import type { TestDatabase } from '../support/database.ts'
import { type Newcomer, newcomer, openSocket } from '../support/newcomers.ts'
import { matchTimes } from '../support/rally-test.ts'
import { type Rally, type RallyOptions, startRally } from '../support/server.ts'

/** A whole Rally whose matches do not take long. */
export function startQuickRally(times: Partial<Config['matches']> = {}, options: RallyOptions = {}): Promise<Rally> {
  return startRally({ ...options, config: { ...options.config, matches: matchTimes(times) } })
}

/** Follows a match, and holds every event against its promise: one version more each time. */
export class Follower {
  readonly #stream: Stream<unknown, unknown>
  readonly seen: Match[] = []

  constructor(stream: Stream<unknown, unknown>) {
    this.#stream = stream
    if (!('snapshot' in stream.opening)) throw new Error('a match has a snapshot')
    this.#take(stream.opening.seq, stream.opening.snapshot)
  }

  get latest(): Match {
    const match = this.seen.at(-1)
    if (!match) throw new Error('nothing was seen')
    return match
  }

  /** The match as it was first when it looked like this, now or at one of the next events. */
  async until(predicate: (match: Match) => boolean, deadlineMs = 8_000): Promise<Match> {
    const until = Date.now() + deadlineMs
    while (!predicate(this.latest)) {
      const event: Message<unknown> = await this.#stream.events
        .next(undefined, until - Date.now())
        .catch((error: unknown) => {
          throw new Error(`${String(error)}; last seen: ${JSON.stringify(this.latest)}`)
        })
      expect(event.error).toBeUndefined()
      this.#take(event.seq, event.data)
    }
    return this.latest
  }

  live(deadlineMs?: number): Promise<Match> {
    return this.until(({ status }) => status === 'live', deadlineMs)
  }

  over(deadlineMs?: number): Promise<Match> {
    return this.until(({ status }) => status === 'finished' || status === 'aborted', deadlineMs)
  }

  /** Takes the events that have come. */
  catchUp(): Match {
    for (const { seq, data } of this.#stream.events.drain()) this.#take(seq, data)
    return this.latest
  }

  #take(seq: number | undefined, data: unknown): void {
    const match = Match.parse(data)
    expect(match.version).toBe(seq)
    const before = this.seen.at(-1)
    if (before) expect(match.version).toBe(before.version + 1)
    this.seen.push(match)
  }
}

export async function follow(client: TestClient, matchId: string): Promise<Follower> {
  return new Follower(await client.subscribe('matches.onUpdate', { matchId }))
}

export async function create(client: TestClient, data: object = {}): Promise<Match> {
  return Match.parse(await client.call('matches.create', { game: 'pong', mode: 'casual', ...data }))
}

/** Opens a match that begins by itself, and follows it from its start. */
export async function startLive(client: TestClient, data: object): Promise<Follower> {
  const follower = await follow(client, (await create(client, data)).id)
  await follower.live()
  return follower
}

/** Two players in one match, which `watcher` follows. */
export interface Table {
  readonly first: Newcomer
  readonly second: Newcomer
  readonly watcher: TestClient
  readonly follower: Follower
  readonly matchId: string
}

/** Two players, seated in a match that counts down. */
export async function seatTwo(rally: Rally, data: object = {}): Promise<Table> {
  const [first, second, watcher] = await Promise.all([newcomer(rally), newcomer(rally), openSocket(rally)])
  const match = await create(first.client, data)
  const follower = await follow(watcher, match.id)
  await second.client.call('matches.join', { code: match.code })
  return { first, second, watcher, follower, matchId: match.id }
}

/** The moves with which seat 0 wins a game of Connect Four that it begins. */
const WINNING_COLUMNS = [0, 1, 0, 1, 0, 1, 0]
export const CONNECT_FOUR = { game: 'connect-four', options: { first: 0 } } as const

/** Plays a live game of Connect Four to its end; seat 0 wins. */
export async function playConnectFour(seats: readonly TestClient[], matchId: string): Promise<void> {
  const [first, second = first] = seats
  if (!first || !second) throw new Error('nobody plays')
  const frames = await first.subscribe<{ tick: number }>('live.onState', { matchId, rate: 10 })
  for (const [turn, column] of WINNING_COLUMNS.entries()) {
    const seat = turn % 2
    const client = seat === 0 ? first : second
    client.send(
      JSON.stringify({
        type: 'live.input',
        eid: `move-${turn}`,
        ts: Date.now(),
        data: { matchId, seat, input: { column } },
      }),
    )
    await frames.events.next(({ data }) => data.tick > turn)
  }
}

/** Plays a match to its end on one keyboard; seat 0 wins. */
export async function playToEnd(client: TestClient, data: object = {}): Promise<Match> {
  const follower = await startLive(client, { mode: 'local', ...CONNECT_FOUR, ...data })
  await playConnectFour([client], follower.latest.id)
  return follower.over()
}

const secret = () => randomBytes(32).toString('base64')

/** Two servers that are nodes of one cluster. */
export async function startTwo(database: TestDatabase, options: RallyOptions = {}): Promise<[Rally, Rally]> {
  const { secrets } = readConfig({ JWT_SECRET: secret(), COOKIE_SECRET: secret(), ENCRYPTION_KEY: secret() })
  const cluster: MemoryCluster = new Map()
  const config = { ...options.config, secrets }
  const start = (own: RallyOptions) => startQuickRally({ comeBackMs: 1_000 }, { ...own, database, cluster })
  return [
    await start({ ...options, config }),
    await start({ config: { secrets, logLevel: config.logLevel ?? 'error' } }),
  ]
}

/** A match of a player who is not there, as a process left it. */
export async function leaveBehind(
  { db }: Database,
  by: { readonly node: string; readonly userId: string; readonly status: 'live' | 'waiting'; readonly game?: string },
): Promise<string> {
  const id = randomUUID()
  await db.presence.createMany({ data: { userId: by.userId, nodeId: by.node }, skipDuplicates: true })
  await db.match.create({
    data: {
      id,
      game: by.game ?? 'pong',
      mode: 'casual',
      status: by.status,
      code: id.slice(0, 6),
      options: { pointsToWin: 11 },
      seed: 1,
      rulesVersion: 1,
      createdBy: by.userId,
      nodeId: by.status === 'live' ? by.node : null,
      startedAt: by.status === 'live' ? new Date(Date.now() - 60_000) : null,
      seats: { create: [{ seat: 0, userId: by.userId, displayName: 'x', connected: true }] },
    },
  })
  return id
}
