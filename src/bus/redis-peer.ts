import { type Control, encodeBatch, encodeControl } from './redis-frames.ts'

/** Bytes to one node in one turn of the event loop. Further messages are dropped. */
const MAX_TURN_BYTES = 4 * 1024 * 1024
const UNKNOWN = -1

/** What a number in a lane shows: nothing is missing, or messages before it are. */
type Order = 'next' | 'hole'

/**
 * What this node knows of another node. Between two nodes there are two lanes, one each way. Batches with messages are
 * numbered; others repeat the last number. A node that forgot another and meets it again begins a new lane, with another
 * epoch.
 */
export class Peer {
  readonly node: string
  /** The topics that the other listens to, and the version of that; -1 while it is not known. */
  readonly topics = new Set<string>()
  topicsVersion = UNKNOWN
  /** The version of this node's topics that the other knows; -1 for none. */
  knownVersion = UNKNOWN
  /** The next batch tells the other all topics of this node. */
  tellsAll = true
  /** The version that this node was at when it sent its last beacon. */
  beaconVersion = 0
  /** Beacons of this node since the other was last heard. */
  silentBeacons = 0
  #mayHaveMissed: boolean
  readonly #epoch = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)
  #sent = 0
  #entries: Buffer[] = []
  #messages = 0
  #bytes = 0
  #receivedEpoch = UNKNOWN
  #received = 0

  /** @param mayHaveMissed this node has published before it knew the other, which may have listened. */
  constructor(node: string, mayHaveMissed: boolean) {
    this.node = node
    this.#mayHaveMissed = mayHaveMissed
  }

  /** The lane to the other: its epoch and the number of the last batch. */
  get lane(): [epoch: number, sent: number] {
    return [this.#epoch, this.#sent]
  }

  get hasWaiting(): boolean {
    return this.#entries.length > 0
  }

  /** Takes what goes with the next batch; false when it was dropped. */
  push(entry: Buffer): boolean {
    const wasFull = this.#bytes > MAX_TURN_BYTES
    this.#bytes += entry.length
    if (this.#bytes > MAX_TURN_BYTES) {
      // A number is left out, so that the other notices.
      if (!wasFull) this.#sent++
      return false
    }
    this.#messages++
    this.#entries.push(entry)
    return true
  }

  control(control: Control): void {
    this.#entries.push(encodeControl(control))
  }

  tellAll({ version, topics }: { readonly version: number; readonly topics: string[] }): void {
    this.control({ kind: 'all', version, topics, mayHaveMissed: this.#mayHaveMissed, asks: this.topicsVersion < 0 })
    this.tellsAll = false
  }

  /** The other knows version `version` of what this node listens to. */
  confirm(version: number): void {
    this.knownVersion = Math.max(this.knownVersion, version)
    this.#mayHaveMissed = false
  }

  /** The other may not know this node any more: it is told everything, and has to confirm it. */
  introduce(): void {
    this.tellsAll = true
    this.knownVersion = UNKNOWN
  }

  /** Takes the batch that waits, with how many messages are in it. */
  takeBatch(from: string): { readonly bytes: Buffer; readonly messages: number } {
    if (this.#messages > 0) this.#sent++
    const bytes = encodeBatch(from, this.#epoch, this.#sent, this.#entries)
    return { bytes, messages: this.#clear() }
  }

  /** Drops the batch that waits, and says how many messages were in it. */
  drop(): number {
    if (this.#messages > 0) this.#sent++
    return this.#clear()
  }

  #clear(): number {
    const messages = this.#messages
    this.#entries = []
    this.#messages = 0
    this.#bytes = 0
    return messages
  }

  receiveBatch(epoch: number, number: number, hasMessages: boolean): Order {
    const step = hasMessages ? 1 : 0
    const isFirst = this.#receivedEpoch === UNKNOWN && number === step
    const isNext = epoch === this.#receivedEpoch && number === this.#received + step
    this.#receivedEpoch = epoch
    this.#received = number
    return isFirst || isNext ? 'next' : 'hole'
  }

  /** @param lane what the beacon says of the other's lane to this node; undefined when it does not know this one. */
  receiveBeacon(lane: readonly [epoch: number, sent: number] | undefined): Order | 'unknown' {
    if (!lane) {
      const wasKnown = this.#receivedEpoch !== UNKNOWN
      this.#receivedEpoch = UNKNOWN
      return wasKnown ? 'hole' : 'unknown'
    }
    const [epoch, sent] = lane
    const isNext = epoch === this.#receivedEpoch && sent === this.#received
    this.#receivedEpoch = epoch
    this.#received = sent
    return isNext ? 'next' : 'hole'
  }

  /** Notes what the other listens to; false when a change before this one was missed. */
  learn(control: Exclude<Control, { kind: 'knows' }>): boolean {
    if (control.kind === 'all') {
      this.topics.clear()
      for (const topic of control.topics) this.topics.add(topic)
      if (control.asks) this.tellsAll = true
    } else {
      if (control.version !== this.topicsVersion + 1) return false
      for (const topic of control.added) this.topics.add(topic)
      for (const topic of control.removed) this.topics.delete(topic)
    }
    this.topicsVersion = control.version
    return true
  }
}
