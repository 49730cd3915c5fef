import { withDeadline } from '../deadline.ts'
import type { BusStats } from './bus.ts'
import type { Listeners } from './listeners.ts'
import { type Batch, type Beacon, Control, decode, encodeBeacon } from './redis-frames.ts'
import { Interest } from './redis-interest.ts'
import { type LinkLog, RedisLink } from './redis-link.ts'
import { Peer } from './redis-peer.ts'

export interface ClusterOptions {
  /** `redis://` or, over TLS, `rediss://`, with user and password where Redis asks for them. */
  readonly url: string
  readonly node: string
  /** Begins the names of all channels: installations that share a Redis have different ones. */
  readonly prefix: string
  /** How often each node tells the others that it is alive. Default 400. */
  readonly beaconMs?: number
  readonly log: LinkLog & { error(details: object, message: string): void }
  readonly listeners: Listeners
}

const BEACON_MS = 400
/** Another node is gone when this node has sent so many beacons without hearing from it: 3.6 s. */
const MAX_SILENT_BEACONS = 8
/** A subscription waits so many beacons for the confirmation of all other nodes: 2 s. */
const READY_BEACONS = 5
/** A new node waits so many beacons for nodes that Redis counts but that do not answer: 1.6 s. */
const ENTER_BEACONS = 4
/** How long the start, and leaving, wait for Redis. */
const START_MS = 15_000
const LEAVE_MS = 500

/**
 * The nodes on one Redis: which are alive, what each listens to, and the messages between them.
 *
 * Every node has a channel of its own, and all share one for their beacons. Each node tells all others its topics, and
 * each of them confirms that it sends messages of these topics from now on. The messages to one node in one turn of the
 * event loop are one batch. Batches are numbered, and beacons repeat the last number, so that a gap is noticed in 400 ms.
 */
export class RedisCluster {
  readonly #options: ClusterOptions
  readonly #link: RedisLink
  readonly #peers = new Map<string, Peer>()
  readonly #interest: Interest
  readonly #beaconMs: number
  #timer: NodeJS.Timeout | undefined
  #flushing: NodeJS.Immediate | undefined
  /** While this node joins: how many nodes there are with it, and until when it waits for them. */
  #entering: { readonly deadline: number; count: number } | undefined
  #starting: { resolve(): void; reject(error: Error): void } | undefined
  /** There may be nodes that cannot be reached. */
  #isCutOff = true
  /** Messages to this node may have been missed: its subscribers are told once all others know this version. */
  #missedVersion: number | null = null
  #hasPublished = false
  #isClosed = false
  #cuts = 0
  #gaps = 0
  #dropped = 0

  constructor(options: ClusterOptions) {
    const { url, node, log } = options
    this.#options = options
    this.#beaconMs = options.beaconMs ?? BEACON_MS
    this.#interest = new Interest(READY_BEACONS * this.#beaconMs)
    this.#link = new RedisLink({
      url,
      channels: [this.#channelOf('all'), this.#channelOf(node)],
      onUp: () => this.#up(),
      onDown: () => this.#down(),
      onMessage: (bytes) => this.#receive(bytes),
      log,
    })
  }

  /** Resolves once this node knows what the others listen to. @throws Error when Redis cannot be reached within 15 s */
  async start(): Promise<void> {
    const entered = new Promise<void>((resolve, reject) => {
      this.#starting = { resolve, reject }
    })
    this.#link.start()
    this.#timer = setInterval(() => this.#beat(), this.#beaconMs)
    await withDeadline(entered, START_MS)
  }

  get stats(): BusStats {
    return { isConnected: this.#link.isUp, cuts: this.#cuts, gaps: this.#gaps, dropped: this.#dropped }
  }

  get nodes(): readonly string[] {
    return [...this.#peers.keys()]
  }

  hasSubscribers(topic: string): boolean {
    for (const peer of this.#peers.values()) if (peer.topics.has(topic)) return true
    return false
  }

  /** Sends to every node that listens to `topic`; the entry is encoded when there is one. */
  publish(topic: string, encode: () => Buffer): void {
    this.#hasPublished = true
    let entry: Buffer | undefined
    for (const peer of this.#peers.values()) {
      if (!peer.wants(topic)) continue
      entry ??= encode()
      this.#push(peer, entry)
    }
  }

  send(node: string, encode: () => Buffer): void {
    const peer = this.#peers.get(node)
    if (peer) this.#push(peer, encode())
    else this.#dropped++
  }

  /** The first listener of a topic came, or the last one left. */
  change(topic: string): void {
    this.#interest.change(topic)
    this.#flushSoon()
  }

  ready(topic: string): Promise<void> {
    return this.#interest.ready(topic, (version) => this.#isKnown(version))
  }

  ping(deadlineMs: number): Promise<void> {
    return this.#link.ping(deadlineMs)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#starting?.reject(new Error('the bus is closed'))
    this.#flush()
    const left = new Promise<void>((resolve) => {
      if (!this.#beacon(true, () => resolve())) resolve()
    })
    await withDeadline(left, LEAVE_MS).catch(() => undefined)
    this.#interest.close()
    await this.#link.close()
  }

  /** The channel of one node, or of `all`. */
  #channelOf(node: string): string {
    return `${this.#options.prefix}:${node}`
  }

  /** Whether all other nodes know version `version` of what this node listens to. */
  #isKnown(version: number): boolean {
    if (this.#isCutOff || this.#entering) return false
    for (const peer of this.#peers.values()) if (peer.knownVersion < version) return false
    return true
  }

  #push(peer: Peer, entry: Buffer): void {
    if (peer.push(entry)) this.#flushSoon()
    else this.#dropped++
  }

  #flushSoon(): void {
    this.#flushing ??= setImmediate(() => this.#flush())
  }

  #flush(): void {
    clearImmediate(this.#flushing)
    this.#flushing = undefined
    if (this.#interest.hasChanged) {
      const change = this.#interest.next((topic) => this.#options.listeners.has(topic))
      for (const peer of this.#peers.values()) if (!peer.tellsAll) peer.control({ kind: 'change', ...change })
    }
    for (const peer of this.#peers.values()) {
      const batch = this.#link.isUp ? peer.takeBatch(this.#options.node, this.#interest) : null
      if (!batch) this.#dropped += peer.drop()
      else if (!this.#link.publish(this.#channelOf(peer.node), batch.bytes)) this.#dropped += batch.messages
    }
  }

  #beacon(isLeaving: boolean, onSent?: (receivers: number) => void): boolean {
    const lanes = Object.fromEntries([...this.#peers].map(([node, { lane }]) => [node, lane]))
    const beacon = encodeBeacon({ node: this.#options.node, version: this.#interest.version, lanes, isLeaving })
    return this.#link.publish(this.#channelOf('all'), beacon, onSent)
  }

  /** Several times a second: tells the others that this node is alive, and finds nodes that are gone. */
  #beat(): void {
    for (const peer of this.#peers.values()) {
      if (peer.beat(this.#interest.version) > MAX_SILENT_BEACONS) this.#gone(peer, true)
    }
    this.#flush()
    this.#beacon(false)
    this.#link.watch()
    if (this.#entering && performance.now() > this.#entering.deadline) this.#entered()
    this.#settle()
  }

  #up(): void {
    const entering = { deadline: performance.now() + ENTER_BEACONS * this.#beaconMs, count: Number.POSITIVE_INFINITY }
    this.#entering = entering
    // A peer may have considered this node gone meanwhile.
    for (const peer of this.#peers.values()) peer.introduce()
    this.#flush()
    this.#beacon(false, (receivers) => {
      entering.count = receivers
      this.#settle()
    })
  }

  #down(): void {
    if (!this.#isClosed) this.#cuts++
    // A single node goes on alone: another node that starts now needs Redis, too.
    const count = this.#entering?.count ?? 1
    if (this.#peers.size > 0 || (count > 1 && Number.isFinite(count))) this.#isCutOff = true
    this.#entering = undefined
  }

  #entered(): void {
    this.#entering = undefined
    this.#isCutOff = false
    this.#starting?.resolve()
  }

  /** Checks what has changed. */
  #settle(): void {
    if (this.#entering && this.#peers.size >= this.#entering.count - 1) {
      if ([...this.#peers.values()].every(({ topicsVersion }) => topicsVersion >= 0)) this.#entered()
    }
    this.#interest.settle((version) => this.#isKnown(version))
    if (this.#missedVersion === null || !this.#isKnown(this.#missedVersion)) return
    this.#missedVersion = null
    this.#gaps++
    this.#options.listeners.lost()
  }

  #receive(bytes: Uint8Array): void {
    if (this.#isClosed) return
    try {
      const frame = decode(bytes)
      if (frame && 'node' in frame) this.#receiveBeacon(frame)
      else if (frame) this.#receiveBatch(frame)
    } catch (error) {
      this.#options.log.error({ err: error }, 'another node sent what cannot be read')
    }
  }

  #receiveBeacon({ node, version, lanes, isLeaving }: Beacon): void {
    if (node === this.#options.node) return
    if (isLeaving) {
      const leaving = this.#peers.get(node)
      if (leaving) this.#gone(leaving, leaving.receiveBeacon(lanes[this.#options.node]) === 'hole')
      return
    }
    const peer = this.#meet(node)
    const order = peer.receiveBeacon(lanes[this.#options.node])
    if (order === 'hole') this.#missed(peer)
    else if (order === 'next' && peer.topicsVersion !== version) peer.ask()
    this.#flushSoon()
  }

  #receiveBatch({ from, epoch, number, entries }: Batch): void {
    const peer = this.#meet(from)
    const hasMessages = entries.some(({ kind }) => kind !== 'control')
    if (peer.receiveBatch(epoch, number, hasMessages) === 'hole') this.#missed(peer)
    const { listeners } = this.#options
    for (const { kind, topic, message } of entries) {
      if (kind === 'published') listeners.deliver(topic, message)
      else if (kind === 'direct') listeners.deliverDirect(topic, message, from)
      else this.#receiveControl(peer, Control.parse(JSON.parse(String(message.payload))))
    }
  }

  #receiveControl(peer: Peer, control: Control): void {
    peer.receiveControl(control)
    if (control.kind === 'all' && control.mayHaveMissed) this.#missedVersion = this.#interest.version
    if (control.kind !== 'knows') this.#flushSoon()
    this.#settle()
  }

  #meet(node: string): Peer {
    let peer = this.#peers.get(node)
    if (!peer) {
      peer = new Peer(node, this.#hasPublished)
      this.#peers.set(node, peer)
      this.#flushSoon()
    }
    peer.silentBeacons = 0
    return peer
  }

  /** Messages of another node were missed, and it may not know any more what this one listens to. */
  #missed(peer: Peer): void {
    this.#missedVersion = this.#interest.version
    peer.introduce()
    peer.ask()
    this.#flushSoon()
  }

  #gone(peer: Peer, mayHaveMissed: boolean): void {
    this.#peers.delete(peer.node)
    // It may have died after a write to the database, before its message.
    if (mayHaveMissed) this.#missedVersion = this.#interest.version
    this.#options.log.info({ gone: peer.node, mayHaveMissed }, 'another node is gone')
    this.#options.listeners.gone(peer.node)
    this.#settle()
  }
}
