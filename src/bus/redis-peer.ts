import { type Control, encodeBatch, encodeControl } from './redis-frames.ts'
import type { Interest } from './redis-interest.ts'

/** Bytes to one node in one turn of the event loop. Further messages are dropped. */
const MAX_TURN_BYTES = 4 * 1024 * 1024
const UNKNOWN = -1

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
  /** Beacons of this node since the other was last heard. */
  silentBeacons = 0
  /** The other may have listened to what this node published, and has not confirmed that it was told so. */
  #mayHaveMissed: boolean
  /** `topics` may be old, but they were told once. */
  #hasTopics = false
  /** The version of this node at its last beacon. */
  #beaconVersion = 0
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

  /**
   * To be called before each beacon of this node, which is at `version`. Returns how many there were since the other was
   * last heard: counted and not timed, as after a pause of this process the other's beacons wait to be read.
   */
  beat(version: number): number {
    // The other has had the time of a beacon to confirm.
    if (this.knownVersion < this.#beaconVersion || this.#mayHaveMissed) this.tellsAll = true
    this.#beaconVersion = version
    return ++this.silentBeacons
  }

  /** Whether the other gets what is published to `topic`. */
  wants(topic: string): boolean {
    if (!this.#hasTopics) this.#mayHaveMissed = true
    return this.topics.has(topic)
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

  /** The other may not know this node any more: it is told everything, and has to confirm it. */
  introduce(): void {
    this.tellsAll = true
    this.knownVersion = UNKNOWN
  }

  /** Takes the batch that waits, with how many messages are in it; null when there is none. */
  takeBatch(from: string, { version, topics }: Interest): { bytes: Buffer; messages: number } | null {
    if (this.tellsAll) {
      this.control({ kind: 'all', version, topics, mayHaveMissed: this.#mayHaveMissed, asks: this.topicsVersion < 0 })
      this.tellsAll = false
    }
    if (this.#entries.length === 0) return null
    const entries = this.#entries
    const messages = this.drop()
    return { bytes: encodeBatch(from, this.#epoch, this.#sent, entries), messages }
  }

  /** Drops the batch that waits, and says how many messages were in it. */
  drop(): number {
    if (this.#messages > 0) this.#sent++
    const messages = this.#messages
    this.#entries = []
    this.#messages = 0
    this.#bytes = 0
    return messages
  }

  /** Takes the number of a batch: a `hole` says that messages before it are missing. */
  receiveBatch(epoch: number, number: number, hasMessages: boolean): 'next' | 'hole' {
    const step = hasMessages ? 1 : 0
    const isFirst = this.#receivedEpoch === UNKNOWN && number === step
    const isNext = epoch === this.#receivedEpoch && number === this.#received + step
    this.#receivedEpoch = epoch
    this.#received = number
    return isFirst || isNext ? 'next' : 'hole'
  }

  /** @param lane what the beacon says of the other's lane to this node; undefined when it does not know this one. */
  receiveBeacon(lane: readonly [epoch: number, sent: number] | undefined): 'next' | 'hole' | 'unknown' {
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

  /** Takes what the other says of what it listens to, or of what it knows. */
  receiveControl(control: Control): void {
    if (control.kind === 'knows') {
      this.knownVersion = Math.max(this.knownVersion, control.version)
      if (control.mayHaveMissed) this.#mayHaveMissed = false
      return
    }
    if (control.kind === 'all') {
      this.#hasTopics = true
      this.topics.clear()
      for (const topic of control.topics) this.topics.add(topic)
      if (control.asks) this.tellsAll = true
    } else {
      // A change before this one was missed.
      if (control.version !== this.topicsVersion + 1) {
        this.ask()
        return
      }
      for (const topic of control.added) this.topics.add(topic)
      for (const topic of control.removed) this.topics.delete(topic)
    }
    this.topicsVersion = control.version
    const mayHaveMissed = control.kind === 'all' && control.mayHaveMissed
    this.control({ kind: 'knows', version: control.version, mayHaveMissed })
  }

  /** Asks the other for all that it listens to. */
  ask(): void {
    this.topicsVersion = UNKNOWN
    this.tellsAll = true
  }
}
