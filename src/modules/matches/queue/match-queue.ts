import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Histogram } from '../../../histogram.ts'
import { type Channel, channel, type Opened, RpcError } from '../../../rpc/index.ts'
import { lockUsers } from '../../auth/index.ts'
import type { Platform } from '../../platform.ts'
import { inIdempotentTransaction, type Scope } from '../../scope.ts'
import type { Invites } from '../invites/invites.ts'
import { abortAbandoned, NOT_COME } from '../lifecycle/cleanup.ts'
import type { MatchFeed } from '../match-feed.ts'
import type { EndedMatch } from '../match-hooks.ts'
import { checkOptions, offeredGame } from '../match-options.ts'
import type { SeatedMatch } from '../seat-players.ts'
import type { Seating } from '../seating.ts'
import type { QueueState } from '../types.ts'
import { findGroups, windowAfter } from './find-groups.ts'
import { type QueueRow, queueRows } from './queue-rows.ts'

/** A message from a node that leaves: somebody waits. */
const PAIR = 'matches.pair'
const ORIGIN = 'queue'
/** How many matches one transaction opens. */
const OPENED_AT_ONCE = 100
/** A pass waits until nobody else has asked for so long. In a crowd more players are found who fit one another. */
const GATHER_MS = 100
/** The longest that a pass waits for others. */
const GATHER_AT_MOST_MS = 400
/** How long a node waits for another one that is looking for matches. */
const BUSY_MS = 30
/** How old the number of players may be that is told to somebody who begins to wait. */
const RECENT_MS = 250
/** Bounds for how long players wait, ms. */
const PLAYER_WAIT_MS = [250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000]
/** How long players are asked to come to their match. */
const COME_WITHIN_MS = 10_000

/** How a look for matches ended. */
type Pass = 'busy' | 'more' | 'done'

const queueChannel = (userId: string): Channel<QueueState> => channel('matches.onQueue', userId)

/**
 * Users who wait for ranked matches: rows, so that any node serves them and none is lost with a node. One node at a time looks
 * for matches, under an advisory lock: at once when somebody asks, and every second because windows widen.
 */
export class MatchQueue {
  readonly #platform: Platform
  readonly #feed: MatchFeed
  readonly #seating: Seating
  readonly #invites: Invites
  #pairing: Promise<void> | undefined
  #isDue = false
  #stopped = false
  /** How many waited when this node last looked, and when that was. */
  #seen = { waiting: 0, at: Number.NEGATIVE_INFINITY }
  /** The queues as they were last read here. */
  #read = { queues: [] as QueueState['queues'], at: Number.NEGATIVE_INFINITY }
  /** How long players whom this node matched have waited, ms. */
  readonly waits = new Histogram(PLAYER_WAIT_MS)

  constructor(platform: Platform, feed: MatchFeed, seating: Seating, invites: Invites) {
    this.#platform = platform
    this.#feed = feed
    this.#seating = seating
    this.#invites = invites
    platform.nodes.listen(PAIR, () => this.#wake())
    feed.hooks.onResult((scope, ended) => this.#noteEnd(scope, ended))
    feed.hooks.onAborted((scope, ended) => this.#noteEnd(scope, ended))
  }

  /** How many wait, on the node that looks for matches. Others answer 0. */
  get length(): number {
    return performance.now() - this.#seen.at < 5_000 ? this.#seen.waiting : 0
  }

  /** @throws RpcError VALIDATION_FAILED for an unknown game or one for a single player, TOO_MANY_MATCHES */
  async enqueue(scope: Scope, userId: string, gameName: string): Promise<QueueState> {
    const { games, config } = this.#platform
    const game = offeredGame(games, gameName)
    if (game.seats < 2) throw new RpcError('VALIDATION_FAILED', 'This game has one player')
    // One round trip: thousands may ask at once.
    const [hasRoom, state] = await Promise.all([
      queueRows.enqueue(scope.sql, userId, game.name, config.matches.maxActive),
      this.#announceOne(scope, userId, this.#recentQueues(scope)),
    ])
    if (!hasRoom) throw new RpcError('TOO_MANY_MATCHES', 'Finish or leave another match first')
    scope.afterCommit(() => this.#wake())
    return state
  }

  /** Leaves the queue. The answer says if a match was found before. */
  async dequeue(scope: Scope, userId: string): Promise<QueueState> {
    await queueRows.dequeue(scope.sql, [userId])
    return this.#announceOne(scope, userId)
  }

  /** Where a user stands, and the channel of the changes. */
  async follow(userId: string): Promise<Opened<QueueState, QueueState>> {
    const { sql } = this.#platform.database
    const [[row], queues] = await Promise.all([queueRows.read(sql, [userId]), this.#queues({ sql })])
    return { channel: queueChannel(userId), seq: row?.seq ?? 0, snapshot: toState(row, queues) }
  }

  /** What is done every second on one node. */
  async tick(): Promise<void> {
    const { draining, bus } = this.#platform
    // With other nodes it goes on: they do nothing while this one has the job, and begin what it opens.
    if (draining.aborted && bus.nodes().length === 0) return
    await abortAbandoned(this.#platform, this.#feed, NOT_COME)
    await inIdempotentTransaction(this.#platform, async (scope) => {
      if (await queueRows.lock(scope.sql)) await this.#announce(scope, await queueRows.tidy(scope.sql))
    })
    const pass = await inIdempotentTransaction(this.#platform, (scope) => this.#pair(scope))
    if (pass !== 'done') this.#wake()
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#pairing
  }

  /** Looks for matches now. A run that is under way is followed by another one: it may have looked before. */
  #wake(): void {
    const { draining, bus, nodes } = this.#platform
    if (this.#stopped) return
    if (draining.aborted) {
      this.#isDue = false
      for (const node of bus.nodes()) nodes.tell(node, PAIR, {})
      return
    }
    this.#isDue = true
    this.#pairing ??= this.#pairWhileDue().finally(() => {
      this.#pairing = undefined
      if (this.#isDue) this.#wake()
    })
  }

  async #pairWhileDue(): Promise<void> {
    try {
      let pass: Pass = 'done'
      while (this.#isDue && !this.#isLeaving) {
        if (pass === 'done') await this.#gather()
        if (pass === 'busy') await delay(BUSY_MS)
        // Whether another node has to look is seen at the end.
        this.#isDue = this.#isLeaving
        if (this.#isLeaving) break
        pass = await inIdempotentTransaction(this.#platform, (scope) => this.#pair(scope))
        if (pass !== 'done') this.#isDue = true
      }
    } catch (error) {
      // It is tried again within a second.
      this.#platform.log.of('matches').warn({ err: error }, 'no matches could be found for those who wait')
    }
  }

  /** Lets those who ask within a short time share a pass. */
  async #gather(): Promise<void> {
    const until = performance.now() + GATHER_AT_MOST_MS
    do {
      this.#isDue = false
      await delay(GATHER_MS)
    } while (this.#isDue && !this.#isLeaving && performance.now() + GATHER_MS <= until)
  }

  get #isLeaving(): boolean {
    return this.#stopped || this.#platform.draining.aborted
  }

  /** Opens matches for those who wait. `more`: there are more than one transaction opens. */
  async #pair(scope: Scope): Promise<Pass> {
    const { games, config } = this.#platform
    if (!(await queueRows.lock(scope.sql))) return 'busy'
    const waiting = await queueRows.waiting(scope.sql, Object.keys(games))
    this.#seen = { waiting: waiting.length, at: performance.now() }
    const groups = Object.values(games).flatMap((game) => {
      const own = game.seats < 2 ? [] : waiting.filter((player) => player.game === game.name)
      return findGroups(own, game.seats).map((players) => ({ game, userIds: players.map(({ userId }) => userId) }))
    })
    const chosen = groups.slice(0, OPENED_AT_ONCE)
    if (chosen.length === 0) return 'done'
    const asked = chosen.flatMap(({ userIds }) => userIds)
    const present = await lockUsers(scope.sql, asked)
    const confirmed = await queueRows.confirm(scope.sql, asked, config.matches.maxActive)
    const mayPlay = (userId: string, game: string) => present.has(userId) && confirmed.get(userId) === game
    const matches = chosen.filter(({ game, userIds }) => userIds.every((userId) => mayPlay(userId, game.name)))
    // Who left or asked for another game meanwhile is not in `confirmed`, and is not waiting for this one.
    const refused = chosen.flatMap(({ game, userIds }) => userIds.filter((userId) => !mayPlay(userId, game.name)))
    const dropped = await queueRows.dequeue(
      scope.sql,
      refused.filter((userId) => confirmed.get(userId) === undefined || !present.has(userId)),
    )
    await this.#open(scope, matches)
    await this.#announce(scope, [...dropped, ...matches.flatMap(({ userIds }) => userIds)])
    return groups.length > chosen.length || refused.length > 0 ? 'more' : 'done'
  }

  async #open(scope: Scope, groups: readonly Pick<SeatedMatch, 'game' | 'userIds'>[]): Promise<void> {
    if (groups.length === 0) return
    const opened = await this.#seating.openAll(
      scope,
      groups.map(({ game, userIds }) => ({
        game,
        userIds: shuffled(userIds),
        mode: 'ranked',
        visibility: 'public',
        options: checkOptions(game, {}),
        origin: ORIGIN,
      })),
    )
    const found = opened.flatMap(({ id: matchId, players }) =>
      players.flatMap(({ userId }) => (userId === null ? [] : [{ userId, matchId }])),
    )
    const waits = await queueRows.matched(scope.sql, found)
    const expiresAt = new Date(Date.now() + COME_WITHIN_MS)
    await this.#invites.askAll(
      scope,
      found.map(({ userId, matchId }) => ({ userId, matchId, from: null, reason: 'queue', expiresAt })),
    )
    scope.afterCommit(() => {
      for (const waitedMs of waits) this.waits.add(waitedMs)
    })
  }

  /** A match of the queue is over. If somebody did not come, the others are at the front of the queue again. */
  async #noteEnd(scope: Scope, { match, origin }: EndedMatch): Promise<void> {
    if (origin !== ORIGIN) return
    const hasFailed = match.status === 'aborted' && match.endReason === NOT_COME.endReason && match.startedAt === null
    const back = hasFailed ? match.players.filter(({ connected }) => connected) : []
    const users = await queueRows.matchOver(
      scope.sql,
      match.id,
      back.flatMap(({ userId }) => userId ?? []),
    )
    await this.#announce(scope, users)
    if (back.length > 0) scope.afterCommit(() => this.#wake())
  }

  async #announceOne(scope: Scope, userId: string, queues = this.#queues(scope)): Promise<QueueState> {
    const [state] = await this.#announce(scope, [userId], queues)
    if (!state) throw new Error('a user has a state')
    return state
  }

  /** Publishes where users stand now. */
  async #announce(
    scope: Scope,
    userIds: readonly string[],
    wanted?: Promise<QueueState['queues']>,
  ): Promise<QueueState[]> {
    if (userIds.length === 0) return []
    const [rows, queues] = await Promise.all([queueRows.read(scope.sql, userIds), wanted ?? this.#queues(scope)])
    const states = rows.map((row) => toState(row, queues))
    scope.afterCommit(() => {
      for (const [index, { userId, seq }] of rows.entries()) {
        const state = states[index]
        if (state) this.#platform.hub.publish(queueChannel(userId), seq, state)
      }
    })
    return states
  }

  /** How the queues are, or were a moment ago. */
  async #recentQueues(scope: Scope): Promise<QueueState['queues']> {
    if (performance.now() - this.#read.at > RECENT_MS) await this.#queues(scope)
    return this.#read.queues
  }

  async #queues({ sql }: Pick<Scope, 'sql'>): Promise<QueueState['queues']> {
    const games = Object.values(this.#platform.games).filter(({ seats }) => seats > 1)
    const names = games.map(({ name }) => name)
    const queues = await queueRows.queues(sql, names)
    this.#read = { queues, at: performance.now() }
    return queues
  }
}

function toState(row: QueueRow | undefined, queues: QueueState['queues']): QueueState {
  const { status = 'idle', game = null, since = null, matchId = null } = row ?? {}
  if (status !== 'waiting' || since === null) return { status, game, since, window: null, matchId, queues }
  const window = Math.round(windowAfter(Date.now() - since))
  // What was read a moment ago may leave this user out.
  const own = queues.map((queue) => (queue.game === game && queue.waiting === 0 ? { ...queue, waiting: 1 } : queue))
  return { status, game, since, window, matchId, queues: own }
}

/** Who has waited longest does not always begin. */
function shuffled<T>(items: readonly T[]): T[] {
  const all = [...items]
  for (let last = all.length - 1; last > 0; last--) {
    const other = randomInt(last + 1)
    const [a, b] = [all[last], all[other]]
    if (a === undefined || b === undefined) continue
    all[last] = b
    all[other] = a
  }
  return all
}
