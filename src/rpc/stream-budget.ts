import { addressGroup } from './address-groups.ts'
import type { Channel, Cost } from './channel.ts'
import type { Connection } from './connection.ts'
import { RpcError } from './errors.ts'

type Following = ReadonlyMap<string, Channel<unknown>>

/** All sockets of one user, or all anonymous sockets of one address, share the budgets of so many sockets. */
const SOCKETS_PER_CALLER = 8
const RETRY_MS = 5_000
const NOTHING: Cost = { frames: 0, bytes: 0 }
const NONE: Following = new Map()

/**
 * Bounds the cost of the streams of one socket, and of all sockets of one user or address. A socket follows one channel
 * of each `oneOf`. The bounds of a socket are `streamFramesPerSecond` and `streamBytesPerSecond` in
 * `protocol/default-limits.ts`.
 */
export class StreamBudget {
  readonly #perSocket: Cost
  readonly #perCaller: Cost
  readonly #sockets = new WeakMap<Connection, Map<string, Channel<unknown>>>()
  readonly #callers = new Map<string, Cost>()

  constructor(perSocket: Cost) {
    const { frames, bytes } = perSocket
    this.#perSocket = perSocket
    this.#perCaller = { frames: frames * SOCKETS_PER_CALLER, bytes: bytes * SOCKETS_PER_CALLER }
  }

  /**
   * The channels that the socket has to leave if it follows `channel`.
   *
   * @throws RpcError RATE_LIMITED when it would cost too much.
   */
  admit(connection: Connection, channel: Channel<unknown>): readonly Channel<unknown>[] {
    const following = this.#sockets.get(connection) ?? NONE
    if (following.has(channel.name)) return []
    const all = [...following.values()]
    const replaced = channel.oneOf === undefined ? [] : all.filter(({ oneOf }) => oneOf === channel.oneOf)
    const extra = [channel].reduce(plus, replaced.reduce(minus, NOTHING))
    const socket = all.reduce(plus, extra)
    const caller = plus(this.#callers.get(callerOf(connection)) ?? NOTHING, { cost: extra })
    // A stream that costs no more than the one it replaces is always allowed.
    if (exceeds(extra, NOTHING) && (exceeds(socket, this.#perSocket) || exceeds(caller, this.#perCaller))) {
      throw new RpcError('RATE_LIMITED', 'These streams would be too many frames a second', { retryAfterMs: RETRY_MS })
    }
    return replaced
  }

  take(connection: Connection, channel: Channel<unknown>): void {
    if (channel.cost === undefined && channel.oneOf === undefined) return
    const following = this.#sockets.get(connection) ?? new Map<string, Channel<unknown>>()
    if (following.has(channel.name)) return
    this.#sockets.set(connection, following.set(channel.name, channel))
    this.#count(connection, plus, channel)
  }

  give(connection: Connection, name: string): void {
    const following = this.#sockets.get(connection)
    const channel = following?.get(name)
    if (!channel) return
    following?.delete(name)
    this.#count(connection, minus, channel)
  }

  #count(connection: Connection, change: typeof plus, channel: Channel<unknown>): void {
    const caller = callerOf(connection)
    const cost = change(this.#callers.get(caller) ?? NOTHING, channel)
    if (exceeds(cost, NOTHING)) this.#callers.set(caller, cost)
    else this.#callers.delete(caller)
  }
}

function callerOf({ caller }: Connection): string {
  return caller.user?.id ?? addressGroup(caller.ip)
}

function plus({ frames, bytes }: Cost, { cost = NOTHING }: Pick<Channel<unknown>, 'cost'>): Cost {
  return { frames: frames + cost.frames, bytes: bytes + cost.bytes }
}

function minus({ frames, bytes }: Cost, { cost = NOTHING }: Pick<Channel<unknown>, 'cost'>): Cost {
  return { frames: frames - cost.frames, bytes: bytes - cost.bytes }
}

function exceeds(cost: Cost, budget: Cost): boolean {
  return cost.frames > budget.frames || cost.bytes > budget.bytes
}
