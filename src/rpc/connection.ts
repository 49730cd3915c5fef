import type { CloseCode } from '../protocol/index.ts'
import type { Allowance } from './admission.ts'
import type { Channel } from './definition.ts'
import { type Caller, credentialOf } from './sessions.ts'

/** How a socket follows one channel. */
export interface Following {
  readonly channel: Channel<unknown>
  /** Set while a `latest` stream skips this socket: the last `seq` it was sent. */
  skippedFrom: number | null
  /** The stream's `sentLength` when it was last added to what the socket was sent. */
  countedLength: number
}

/**
 * One socket: its user, what it follows, and what it may still ask. The transport implements the methods; none of them
 * throws on a closed socket.
 */
export abstract class Connection {
  /** Unique on this node. */
  readonly id: string
  readonly caller: Caller
  readonly allowance: Allowance
  readonly following = new Map<string, Following>()
  inFlight = 0
  /** About how many bytes it was sent since it last showed that it reads. */
  unreadBytes = 0
  closed = false
  /** It takes no more requests, and is closed once those under way are answered. */
  leaving = false
  /** On the monotonic clock. */
  lastRequestAt: number

  constructor({ id, caller, allowance }: ConnectionStart, now: number) {
    this.id = id
    this.caller = caller
    this.allowance = allowance
    this.lastRequestAt = now
  }

  /** Queues a frame for this socket alone. One that cannot be queued closes the socket with 4008. */
  abstract send(frame: string | Uint8Array): void
  /** From now on frames that the transport publishes to `topic` reach this socket. */
  abstract join(topic: string): void
  abstract leave(topic: string): void
  abstract unsentBytes(): number
  abstract close(code: CloseCode, reason: string): void
}

/** What the dispatcher gives each connection: `dispatcher.admit(caller)`. */
export type ConnectionStart = Pick<Connection, 'id' | 'caller' | 'allowance'>

/** Called when a user's first socket to this process opens and when the last one is closed. */
export interface PresenceListener {
  online(userId: string): void
  offline(userId: string): void
}

/** An ended session or token is remembered for longer than a socket may take to open. */
const REMEMBER_ENDED_MS = 10_000
/** Over this the oldest is forgotten; its sockets are found when sessions are looked up again. */
const MAX_ENDED = 20_000

/** The open sockets of this process, by user. */
export class Connections {
  readonly #all = new Set<Connection>()
  readonly #byUser = new Map<string, Set<Connection>>()
  readonly #listeners: PresenceListener[] = []
  readonly #closeListeners: ((connection: Connection) => void)[] = []
  /** Sessions and tokens that ended a moment ago, with the time, oldest first. */
  readonly #ended = new Map<string, number>()

  get size(): number {
    return this.#all.size
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#all.values()
  }

  onPresence(listener: PresenceListener): void {
    this.#listeners.push(listener)
  }

  /** `listener` is called for each socket that closes, before its user counts as offline. */
  onClose(listener: (connection: Connection) => void): void {
    this.#closeListeners.push(listener)
  }

  isOnline(userId: string): boolean {
    return this.#byUser.has(userId)
  }

  /** The user's sockets to this process. */
  of(userId: string): Iterable<Connection> {
    return this.#byUser.get(userId) ?? []
  }

  /** The ids of users with a socket to this process. */
  users(): IterableIterator<string> {
    return this.#byUser.keys()
  }

  add(connection: Connection): void {
    this.#all.add(connection)
    const { user } = connection.caller
    if (!user) return
    const own = this.#byUser.get(user.id)
    if (own) own.add(connection)
    else {
      this.#byUser.set(user.id, new Set([connection]))
      for (const listener of this.#listeners) listener.online(user.id)
    }
  }

  delete(connection: Connection): void {
    if (!this.#all.delete(connection)) return
    for (const listener of this.#closeListeners) listener(connection)
    const { user } = connection.caller
    const own = user && this.#byUser.get(user.id)
    if (!user || !own) return
    own.delete(connection)
    if (own.size > 0) return
    this.#byUser.delete(user.id)
    for (const listener of this.#listeners) listener.offline(user.id)
  }

  /** Closes the user's sockets that signed in with this session or token. */
  closeCredential(userId: string, id: string, code: CloseCode, reason: string): void {
    this.#ended.delete(id)
    const [oldest] = this.#ended.keys()
    if (this.#ended.size >= MAX_ENDED && oldest !== undefined) this.#ended.delete(oldest)
    this.#ended.set(id, performance.now())
    for (const connection of [...(this.#byUser.get(userId) ?? [])]) {
      if (credentialOf(connection.caller) === id) connection.close(code, reason)
    }
  }

  /** Forgets sessions and tokens that ended a while ago. Called several times a second. */
  sweep(now: number): void {
    for (const [id, at] of this.#ended) {
      if (now - at < REMEMBER_ENDED_MS) return
      this.#ended.delete(id)
    }
  }

  /** Whether the session or token ended a moment ago, so perhaps while a socket was opened with it. */
  hasJustEnded(id: string): boolean {
    return this.#ended.has(id)
  }

  closeAll(code: CloseCode, reason: string): void {
    for (const connection of [...this.#all]) connection.close(code, reason)
  }
}
