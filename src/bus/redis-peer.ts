import { type Control, encodeBatch, encodeControl } from './redis-frames.ts'

/** Bytes to one node in one turn of the event loop. What comes on top is dropped. */
const MAX_TURN_BYTES = 4 * 1024 * 1024
const UNKNOWN = -1

/** What a number in a lane shows: it is the next one, or numbers before it are missing. */
type Order = 'next' | 'hole'

/**
 * Another node, as this one knows it. Between two nodes there are two lanes, one each way, of numbered batches. A node that
 * forgot another and meets it again begins a new lane, with another epoch.
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
  /** Beacons of this node since the other was last heard. */
  silentBeacons = 0
  #mayHaveMissed: boolean
  readonly #epoch = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)
  #sent = 0
  #entries: Buffer[] = []
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
    const isFull = this.#bytes > MAX_TURN_BYTES
    this.#bytes += entry.length
    if (this.#bytes <= MAX_TURN_BYTES) this.#entries.push(entry)
    // A number is left out, so that the other notices.
    else if (!isFull) this.#sent++
    return this.#bytes <= MAX_TURN_BYTES
  }

  control(control: Control): void {
    this.#entries.push(encodeControl(control))
  }

  tellAll({ version, topics }: { readonly version: number; readonly topics: string[] }): void {
    this.control({ kind: 'all', version, topics, mayHaveMissed: this.#mayHaveMissed, asks: this.topicsVersion < 0 })
    this.tellsAll = false
    this.#mayHaveMissed = false
  }

  /** The other may not know this node any more: it is told everything, and has to confirm it. */
  introduce(): void {
    this.tellsAll = true
    this.knownVersion = UNKNOWN
  }

  /** Takes the batch that waits, with how many messages are in it. */
  takeBatch(from: string): { readonly bytes: Buffer; readonly count: number } {
    const entries = this.#entries
    this.#entries = []
    this.#bytes = 0
    this.#sent++
    return { bytes: encodeBatch(from, this.#epoch, this.#sent, entries), count: entries.length }
  }

  receiveBatch(epoch: number, number: number): Order {
    const isFirst = this.#receivedEpoch === UNKNOWN && number === 1
    const isNext = epoch === this.#receivedEpoch && number === this.#received + 1
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
