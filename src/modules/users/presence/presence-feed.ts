import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { BusSubscription } from '../../../bus/bus.ts'
import { type BatchedLookup, batched } from '../../../db/batched-lookup.ts'
import { type Channel, channel, type Opened, RpcError } from '../../../rpc/index.ts'
import type { Platform } from '../../platform.ts'
import type { PresenceList, PresenceOf } from '../types.ts'
import { FollowerLimits, PRESENCE } from './follower-limits.ts'
import { existingUsers, type PresenceRow, readPresence } from './presence-rows.ts'

const TOPIC = 'users.presence'
const Changed = z.array(z.string())
/** Changes of so long are told to other nodes in one message, and are read with one query. */
const GATHER_MS = 50
/** Every so many refreshes all followed users are read: a message may be lost, and a node may die without a word. */
const READ_ALL_EVERY = 5
/** A list that nobody follows is forgotten after so long; its opening may still be under way before. */
const UNFOLLOWED_MS = 10_000
/** Users that the sockets of this node follow, and lists of them. */
const MAX_USERS = 20_000
const MAX_LISTS = 10_000
/** Queries follow one another, so a later one never brings an older state. */
const BATCH = { maxRunning: 1, maxKeys: 500, maxWaiting: 2 * MAX_USERS }

/** Users that are followed together. All sockets of this node that follow the same ones share it. */
interface FollowedList {
  readonly key: string
  readonly channel: Channel<PresenceList>
  readonly userIds: readonly string[]
  /** The `seq` of `newest`. The channel is of this process alone. */
  seq: number
  newest: string
  /** When it was last opened. Monotonic, ms. */
  openedAt: number
}

/**
 * Tells who is online to those who follow them. The truth are the rows of `presence`; nodes tell each other whose rows or
 * matches have changed, and each node reads those that its sockets follow: one query for all of them.
 */
export class PresenceFeed {
  readonly #platform: Platform
  readonly #lists = new Map<string, FollowedList>()
  /** The lists that a user is in. */
  readonly #listsOf = new Map<string, Set<FollowedList>>()
  /** What was last read of each followed user. */
  readonly #known = new Map<string, PresenceOf>()
  /** Followed users who have gone away, and when that is to be told. Monotonic, ms. */
  readonly #inGrace = new Map<string, number>()
  /** Users of whom other nodes are to be told. */
  #changed = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #subscription: BusSubscription | undefined
  #refreshesUntilAll = READ_ALL_EVERY
  readonly #read: BatchedLookup<string, PresenceRow>
  readonly #followers: FollowerLimits

  constructor(platform: Platform) {
    this.#platform = platform
    this.#followers = new FollowerLimits(platform.connections)
    this.#read = batched(async (userIds) => {
      const rows = await readPresence(platform.database.sql, userIds)
      this.#learn([...rows.values()])
      return rows
    }, BATCH)
  }

  get queue() {
    return this.#read.queue
  }

  async start(): Promise<void> {
    this.#subscription = this.#platform.bus.subscribe(
      TOPIC,
      ({ payload }) => {
        const told = Changed.safeParse(JSON.parse(Buffer.from(payload).toString()))
        if (told.success) this.#readAgain(told.data.filter((userId) => this.#listsOf.has(userId)))
      },
      () => {
        this.#refreshesUntilAll = 0
      },
    )
    await this.#subscription.ready
  }

  stop(): void {
    this.#subscription?.unsubscribe()
    clearTimeout(this.#timer)
  }

  /** To be called after the commit: these users came or went, or play or do not play any more. */
  announce(userIds: Iterable<string>): void {
    for (const userId of userIds) this.#changed.add(userId)
    if (this.#changed.size === 0) return
    this.#timer ??= setTimeout(() => {
      const payload = JSON.stringify([...this.#changed])
      this.#changed = new Set()
      this.#timer = undefined
      this.#platform.bus.publish(TOPIC, { seq: 0, payload })
    }, GATHER_MS)
  }

  /**
   * Leaves out ids of nobody.
   * @throws RpcError RATE_LIMITED when the follower follows too many users, UNAVAILABLE when this node does
   */
  async follow(followerId: string, userIds: readonly string[]): Promise<Opened<PresenceList, PresenceList>> {
    const wanted = [...new Set(userIds)].toSorted()
    const unread = wanted.filter((userId) => !this.#listsOf.has(userId))
    const existing = await existingUsers(this.#platform.database.sql, unread)
    const known = wanted.filter((userId) => this.#listsOf.has(userId) || existing.has(userId))
    const key = createHash('sha256').update(JSON.stringify(known)).digest('base64url')
    this.#followers.admit(followerId, key, known.length)
    const list = this.#listOf(key, known)
    list.openedAt = performance.now()
    await Promise.all(list.userIds.map((userId) => this.#read(userId)))
    return { channel: list.channel, seq: list.seq, snapshot: this.#snapshot(list) }
  }

  /** Reads followed users who may be offline now; now and then all of them. Forgets lists that nobody follows. */
  async refresh(): Promise<void> {
    const now = performance.now()
    this.#followers.sweep()
    for (const list of this.#lists.values()) {
      const isFollowed = now - list.openedAt < UNFOLLOWED_MS || this.#platform.hub.isFollowed(list.channel)
      if (!isFollowed) this.#forget(list)
    }
    const due = [...this.#inGrace].filter(([, at]) => at <= now).map(([userId]) => userId)
    const isAll = --this.#refreshesUntilAll <= 0
    if (isAll) this.#refreshesUntilAll = READ_ALL_EVERY
    await Promise.all((isAll ? [...this.#listsOf.keys()] : due).map((userId) => this.#read(userId)))
  }

  #readAgain(userIds: readonly string[]): void {
    for (const userId of userIds) {
      this.#read(userId).catch((error: unknown) => {
        this.#refreshesUntilAll = 0
        this.#platform.log.of('users').debug({ err: error }, 'who is online could not be read')
      })
    }
  }

  /** Takes what was read, and publishes the lists that it changes. */
  #learn(rows: readonly PresenceRow[]): void {
    const changed = new Set<FollowedList>()
    for (const row of rows) {
      const { userId, isConnected, graceMs, isPlaying, matchId } = row
      const lists = this.#listsOf.get(userId)
      if (!lists) continue
      const isHere = isConnected || (graceMs !== null && graceMs > 0)
      if (isHere && !isConnected) this.#inGrace.set(userId, performance.now() + (graceMs ?? 0))
      else this.#inGrace.delete(userId)
      const status = !isHere ? 'offline' : isPlaying ? 'playing' : 'online'
      this.#known.set(userId, { userId, status, matchId: status === 'playing' ? matchId : null })
      for (const list of lists) changed.add(list)
    }
    for (const list of changed) {
      // While it is opened, some of its users may not have been read.
      if (!list.userIds.every((userId) => this.#known.has(userId))) continue
      const snapshot = this.#snapshot(list)
      const json = JSON.stringify(snapshot)
      if (json === list.newest) continue
      list.newest = json
      list.seq++
      this.#platform.hub.publish(list.channel, list.seq, snapshot, json)
    }
  }

  #snapshot({ userIds }: FollowedList): PresenceList {
    return { users: userIds.flatMap((userId) => this.#known.get(userId) ?? []) }
  }

  #listOf(key: string, userIds: readonly string[]): FollowedList {
    const known = this.#lists.get(key)
    if (known) return known
    if (this.#lists.size >= MAX_LISTS || this.#listsOf.size + userIds.length > MAX_USERS) {
      throw new RpcError('UNAVAILABLE', 'Too many users are followed here', { retryAfterMs: 5_000 })
    }
    const made: FollowedList = {
      key,
      channel: channel<PresenceList>(PRESENCE, `${this.#platform.node}/${key}`),
      userIds,
      seq: 0,
      newest: '',
      openedAt: 0,
    }
    this.#lists.set(key, made)
    for (const userId of userIds) {
      const lists = this.#listsOf.get(userId)
      if (lists) lists.add(made)
      else this.#listsOf.set(userId, new Set([made]))
    }
    return made
  }

  #forget(list: FollowedList): void {
    this.#lists.delete(list.key)
    for (const userId of list.userIds) {
      const lists = this.#listsOf.get(userId)
      lists?.delete(list)
      if (lists?.size !== 0) continue
      this.#listsOf.delete(userId)
      this.#known.delete(userId)
      this.#inGrace.delete(userId)
    }
  }
}
