import type { Hub } from '../../rpc/index.ts'
import { directChannel, relayChannel } from './channels.ts'
import { RELAY_CLASS, RELAY_HZ, type RelayKind } from './types.ts'

const TICK_MS = 1000 / RELAY_HZ
/** A frame of states takes no more in. What is left comes with the next one. */
const MAX_FRAME_BYTES = 32 * 1024
/** Messages for one member are sent before their tick when they are so long together. */
const MAX_WAITING_BYTES = 64 * 1024

/** A message between members, its payload encoded. */
export interface Relayed {
  readonly from: string
  readonly kind: RelayKind | 'signal'
  /** Null: to all others. */
  readonly to: string | null
  readonly json: string
}

/** What waits for one member. */
interface Waiting {
  /** Of the last frame; grows by one with each. Begins at the time, so that it is higher than before a pause. */
  seq: number
  reliable: string[]
  /** The newest of each sender and kind. */
  readonly latest: Map<string, string>
  bytes: number
}

/**
 * Puts together what the readers of one room on this node get, whichever node it comes from: at most one frame of states
 * and one of direct messages in a tick. The first message after a pause is sent at once. Each payload is encoded once.
 */
export class RoomRelay {
  readonly #hub: Hub
  readonly #roomId: string
  readonly #node: string
  /** The members with sockets here. */
  readonly #readers: Pick<ReadonlyMap<string, unknown>, 'has' | 'keys'>
  /** The newest state of each sender and kind. Two for each member. */
  readonly #states = new Map<string, Relayed>()
  /** Those that were not sent yet, the longest waiting first. */
  readonly #changed = new Set<string>()
  readonly #waiting = new Map<string, Waiting>()
  #seq = 0
  #sentAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(hub: Hub, roomId: string, node: string, readers: Pick<ReadonlyMap<string, unknown>, 'has' | 'keys'>) {
    this.#hub = hub
    this.#roomId = roomId
    this.#node = node
    this.#readers = readers
  }

  get states(): Iterable<Relayed> {
    return this.#states.values()
  }

  get seq(): number {
    return this.#seq
  }

  /** The `seq` of the last direct frame for a member. */
  directSeq(userId: string): number {
    return this.#waitingFor(userId).seq
  }

  take(message: Relayed): void {
    const { from, kind, to } = message
    const isLatest = kind !== 'signal' && RELAY_CLASS[kind] === 'latest'
    if (to !== null) {
      if (!this.#readers.has(to)) return
      this.#push(to, message, isLatest)
    } else if (isLatest) {
      const key = keyOf(from, kind)
      this.#states.set(key, message)
      this.#changed.add(key)
    } else {
      for (const userId of this.#readers.keys()) if (userId !== from) this.#push(userId, message, false)
    }
    this.#schedule()
  }

  /** Forgets everybody who is not in the room any more. */
  keep(members: ReadonlySet<string>): void {
    for (const [key, { from }] of this.#states) {
      if (members.has(from)) continue
      this.#states.delete(key)
      this.#changed.delete(key)
    }
    for (const userId of this.#waiting.keys()) if (!members.has(userId)) this.#waiting.delete(userId)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #push(userId: string, message: Relayed, isLatest: boolean): void {
    const waiting = this.#waitingFor(userId)
    const { from, kind, to, json } = message
    const text = `{"kind":"${kind}","from":${JSON.stringify(from)},"toAll":${to === null},"payload":${json}}`
    if (isLatest) waiting.latest.set(keyOf(from, kind), text)
    else waiting.reliable.push(text)
    waiting.bytes += text.length
    if (waiting.bytes > MAX_WAITING_BYTES) this.#sendDirect(userId, waiting)
  }

  #waitingFor(userId: string): Waiting {
    const known = this.#waiting.get(userId)
    if (known) return known
    const waiting: Waiting = { seq: Date.now(), reliable: [], latest: new Map(), bytes: 0 }
    this.#waiting.set(userId, waiting)
    return waiting
  }

  #schedule(): void {
    if (this.#timer !== undefined) return
    const waitMs = Math.max(0, Math.ceil(this.#sentAt + TICK_MS - performance.now()))
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#send()
    }, waitMs)
  }

  #send(): void {
    this.#sentAt = performance.now()
    this.#sendStates()
    for (const [userId, waiting] of this.#waiting) if (waiting.bytes > 0) this.#sendDirect(userId, waiting)
    if (this.#changed.size > 0) this.#schedule()
  }

  #sendStates(): void {
    if (this.#changed.size === 0) return
    const channel = relayChannel(this.#roomId, this.#node)
    if (!this.#hub.isFollowed(channel)) {
      this.#changed.clear()
      return
    }
    let states = ''
    for (const key of this.#changed) {
      if (states.length > MAX_FRAME_BYTES) break
      this.#changed.delete(key)
      const state = this.#states.get(key)
      if (!state) continue
      const { from, kind, json } = state
      states += `${states === '' ? '' : ','}{"from":${JSON.stringify(from)},"kind":"${kind}","payload":${json}}`
    }
    if (states === '') return
    // It is higher than that of the node where a reader was before.
    this.#seq = Math.max(this.#seq + 1, Math.floor(Date.now() / TICK_MS))
    this.#hub.publishEncoded(channel, this.#seq, `{"states":[${states}]}`)
  }

  #sendDirect(userId: string, waiting: Waiting): void {
    const messages = [...waiting.reliable, ...waiting.latest.values()].join(',')
    waiting.reliable = []
    waiting.latest.clear()
    waiting.bytes = 0
    const channel = directChannel(this.#roomId, userId, this.#node)
    if (!this.#hub.isFollowed(channel)) return
    this.#hub.publishEncoded(channel, ++waiting.seq, `{"messages":[${messages}]}`)
  }
}

function keyOf(userId: string, kind: string): string {
  return `${kind} ${userId}`
}
