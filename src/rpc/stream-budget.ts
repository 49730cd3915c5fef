import { addressGroups } from './admission.ts'
import type { Connection } from './connection.ts'
import type { Channel, Cost } from './definition.ts'
import { RpcError } from './errors.ts'

/** All sockets of one user, or all anonymous sockets of one address, share the budgets of so many sockets. */
const SOCKETS_PER_CALLER = 8
const RETRY_MS = 5_000
const NOTHING: Cost = { frames: 0, bytes: 0 }

/**
 * Bounds the cost of the streams of one socket, by `limits.streamFramesPerSecond` and `limits.streamBytesPerSecond`, and of
 * all sockets of one user or address. A socket follows one channel of each `oneOf`.
 */
export class StreamBudget {
  readonly #perSocket: Cost
  readonly #perCaller: Cost
  readonly #callers = new Map<string, { readonly cost: Cost; readonly channels: number }>()

  constructor(perSocket: Cost) {
    this.#perSocket = perSocket
    this.#perCaller = add(NOTHING, perSocket, SOCKETS_PER_CALLER)
  }

  /** How many users and addresses have streams. */
  get size(): number {
    return this.#callers.size
  }

  /** The channels that the socket leaves if it follows `channel`. @throws RpcError RATE_LIMITED if that costs too much */
  admit(connection: Connection, channel: Channel<unknown>): readonly Channel<unknown>[] {
    const { name, oneOf, cost } = channel
    if ((cost === undefined && oneOf === undefined) || connection.following.has(name)) return []
    const all = [...connection.following.values()].map((following) => following.channel)
    const replaced = oneOf === undefined ? [] : all.filter((other) => other.oneOf === oneOf)
    const extra = replaced.reduce((sum, { cost }) => add(sum, cost, -1), add(NOTHING, cost))
    const socket = all.reduce((sum, { cost }) => add(sum, cost), extra)
    const caller = add(this.#callers.get(callerOf(connection))?.cost ?? NOTHING, extra)
    // A stream that costs no more than the one it replaces is always allowed.
    if (exceeds(extra, NOTHING) && (exceeds(socket, this.#perSocket) || exceeds(caller, this.#perCaller))) {
      throw new RpcError('RATE_LIMITED', 'These streams would be too many frames a second', { retryAfterMs: RETRY_MS })
    }
    return replaced
  }

  /** Counts a channel that the socket follows from now on; with -1, one that it has left. */
  count(connection: Connection, channel: Channel<unknown>, times: 1 | -1): void {
    if (channel.cost === undefined) return
    const caller = callerOf(connection)
    const before = this.#callers.get(caller) ?? { cost: NOTHING, channels: 0 }
    const channels = before.channels + times
    // A sum of fractions may not come back to nothing.
    if (channels > 0) this.#callers.set(caller, { cost: add(before.cost, channel.cost, times), channels })
    else this.#callers.delete(caller)
  }
}

function callerOf({ caller }: Connection): string {
  return caller.user?.id ?? addressGroups(caller.ip)[0]
}

function add(sum: Cost, cost = NOTHING, times = 1): Cost {
  return { frames: sum.frames + times * cost.frames, bytes: sum.bytes + times * cost.bytes }
}

function exceeds(cost: Cost, budget: Cost): boolean {
  return cost.frames > budget.frames || cost.bytes > budget.bytes
}
