import { type Connections, RpcError } from '../../../rpc/index.ts'

/** The subscription whose lists are counted. */
export const PRESENCE = 'users.onPresence'
/** Of one user at this node, over all sockets. */
const MAX_LISTS = 8
const MAX_USERS = 256
/** An opening that takes longer has failed, or its socket follows the list. */
const OPENING_MS = 2_000
const RETRY_MS = 2_000

interface OpenedList {
  readonly users: number
  /** Monotonic, ms. */
  readonly openedAt: number
}

/** Bounds what one user follows, so that a few users cannot use up what a node follows for all. */
export class FollowerLimits {
  readonly #connections: Connections
  /** The lists that a user has opened, by their keys. */
  readonly #openedBy = new Map<string, Map<string, OpenedList>>()

  constructor(connections: Connections) {
    this.#connections = connections
  }

  /** Counts a list of so many users that a user opens. @throws RpcError RATE_LIMITED */
  admit(userId: string, key: string, users: number): void {
    this.#forgetLeft(userId)
    const others = [...(this.#openedBy.get(userId) ?? [])].filter(([other]) => other !== key)
    const followed = others.reduce((sum, [, list]) => sum + list.users, 0)
    if (others.length >= MAX_LISTS || followed + users > MAX_USERS) {
      const message = `You can follow ${MAX_USERS} users in ${MAX_LISTS} lists`
      throw new RpcError('RATE_LIMITED', message, { retryAfterMs: RETRY_MS })
    }
    this.#openedBy.set(userId, new Map([...others, [key, { users, openedAt: performance.now() }]]))
  }

  /** Forgets the lists that their users do not follow any more. */
  sweep(): void {
    for (const userId of this.#openedBy.keys()) this.#forgetLeft(userId)
  }

  #forgetLeft(userId: string): void {
    const opened = this.#openedBy.get(userId)
    if (!opened) return
    const followed = new Set<string>()
    for (const { following } of this.#connections.of(userId)) {
      for (const { channel } of following.values()) {
        if (channel.type === PRESENCE) followed.add(channel.name.slice(channel.name.lastIndexOf('/') + 1))
      }
    }
    const since = performance.now() - OPENING_MS
    for (const [key, { openedAt }] of opened) if (openedAt < since && !followed.has(key)) opened.delete(key)
    if (opened.size === 0) this.#openedBy.delete(userId)
  }
}
