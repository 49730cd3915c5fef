import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** The faults of the network. All of them may be changed at any time. */
export interface Faults {
  /** For every chunk, each way, ms. */
  readonly latencyMs: number
  /** A random addition, 0 to this. Bytes stay in order. */
  readonly jitterMs: number
  /** Every so many ms nothing moves for `stallMs`; 0 for never. */
  readonly stallEveryMs: number
  readonly stallMs: number
  /** Each way and connection; 0 for any number. */
  readonly bytesPerSecond: number
}

export type Direction = 'up' | 'down'

/** A port that leads to a server over a bad network. */
export interface FaultProxy extends AsyncDisposable {
  readonly url: string
  readonly faults: Faults
  /** Connections open to the proxy now. */
  readonly connections: number
  /** Connections made so far. */
  readonly accepted: number
  /** Payload of TCP that came in from clients, and from the server. */
  readonly bytes: Readonly<Record<Direction, number>>
  /** Called with incoming data. `connection` counts from 1. */
  tap: (direction: Direction, chunk: Buffer, connection: number) => void
  /** From the next chunk on. */
  set(faults: Partial<Faults>): void
  /** Nothing moves for so long from now on, on any connection. */
  stall(ms: number): void
  /** Cuts the open connections; new ones work. */
  cut(): void
  /**
   * The open connections stay open, but nothing gets through any more, not even their end, like a router that was
   * restarted. New ones work.
   */
  halfOpen(): void
  close(): Promise<void>
}

export const NO_FAULTS: Faults = { latencyMs: 0, jitterMs: 0, stallEveryMs: 0, stallMs: 0, bytesPerSecond: 0 }

/** Bytes under way in one direction of one connection; over it the sender has to wait. */
const MAX_UNDER_WAY = 1024 * 1024

/** Starts a proxy before `port` of this machine. `random` gives numbers from 0 to 1. */
export async function startFaultProxy(
  port: number,
  faults: Partial<Faults> = {},
  random: () => number = Math.random,
): Promise<FaultProxy> {
  let current: Faults = { ...NO_FAULTS, ...faults }
  let stalledUntil = 0
  let accepted = 0
  const bytes = { up: 0, down: 0 }
  const pairs = new Set<Pair>()
  const network: Network = {
    arrival(now) {
      const { latencyMs, jitterMs, stallEveryMs, stallMs } = current
      let at = now + latencyMs + random() * jitterMs
      const into = stallEveryMs > 0 ? at % stallEveryMs : stallMs
      if (into < stallMs) at += stallMs - into
      return Math.max(at, stalledUntil)
    },
    transferMs: (length) => (current.bytesPerSecond > 0 ? (length * 1000) / current.bytesPerSecond : 0),
  }
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const connection = ++accepted
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const seen = (direction: Direction) => (chunk: Buffer) => {
      bytes[direction] += chunk.length
      proxy.tap(direction, chunk, connection)
    }
    const pair = new Pair(
      new Lane(client, upstream, network, seen('up')),
      new Lane(upstream, client, network, seen('down')),
      () => pairs.delete(pair),
    )
    pairs.add(pair)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')

  const close = async () => {
    server.close()
    for (const pair of [...pairs]) pair.destroy()
    if (server.listening) await once(server, 'close')
  }
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${address.port}`,
    bytes,
    tap: () => {},
    get faults() {
      return current
    },
    get connections() {
      return pairs.size
    },
    get accepted() {
      return accepted
    },
    set(faults) {
      current = { ...current, ...faults }
    },
    stall(ms) {
      stalledUntil = performance.now() + ms
      for (const pair of pairs) pair.stall(stalledUntil)
    },
    cut() {
      for (const pair of [...pairs]) pair.destroy()
    },
    halfOpen() {
      for (const pair of pairs) pair.swallow()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
  return proxy
}

interface Network {
  /** When what is sent at `now` arrives. */
  arrival(now: number): number
  transferMs(length: number): number
}

interface Parcel {
  at: number
  /** Null for the end. */
  readonly chunk: Buffer | null
}

/** One direction of one connection: chunks arrive in their order, each when it is due. */
class Lane {
  readonly from: Socket
  readonly to: Socket
  readonly #network: Network
  readonly #underWay: Parcel[] = []
  #underWayBytes = 0
  #timer: NodeJS.Timeout | undefined
  #isSwallowing = false

  constructor(from: Socket, to: Socket, network: Network, seen: (chunk: Buffer) => void) {
    this.from = from
    this.to = to
    this.#network = network
    from.setNoDelay(true)
    from.on('data', (chunk: Buffer) => {
      seen(chunk)
      this.#send(chunk)
    })
    from.on('end', () => this.#send(null))
    to.on('drain', () => this.#resume())
  }

  stall(until: number): void {
    for (const parcel of this.#underWay) parcel.at = Math.max(parcel.at, until)
    this.#wait()
  }

  swallow(): void {
    this.#isSwallowing = true
    this.clear()
    this.from.resume()
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#underWay.length = 0
    this.#underWayBytes = 0
  }

  #send(chunk: Buffer | null): void {
    if (this.#isSwallowing) return
    const now = performance.now()
    const last = this.#underWay.at(-1)?.at ?? 0
    const length = chunk?.length ?? 0
    const at = Math.max(this.#network.arrival(now), last + this.#network.transferMs(length))
    this.#underWay.push({ at, chunk })
    this.#underWayBytes += length
    if (this.#underWayBytes > MAX_UNDER_WAY) this.from.pause()
    if (this.#underWay.length === 1) this.#wait()
  }

  #wait(): void {
    clearTimeout(this.#timer)
    const first = this.#underWay[0]
    if (first) this.#timer = setTimeout(() => this.#arrive(), Math.max(0, first.at - performance.now()))
  }

  #arrive(): void {
    // Timers may fire up to a millisecond early.
    const now = performance.now() + 1
    while (this.#underWay[0] && this.#underWay[0].at <= now) {
      const chunk = this.#underWay.shift()?.chunk
      this.#underWayBytes -= chunk?.length ?? 0
      if (chunk) this.to.write(chunk)
      else this.to.end()
    }
    this.#resume()
    this.#wait()
  }

  #resume(): void {
    if (this.#underWayBytes + this.to.writableLength <= MAX_UNDER_WAY) this.from.resume()
  }
}

/** Both directions of a connection. */
class Pair {
  readonly #up: Lane
  readonly #down: Lane
  readonly #gone: () => void
  #isSwallowing = false

  constructor(up: Lane, down: Lane, gone: () => void) {
    this.#up = up
    this.#down = down
    this.#gone = gone
    const sockets = [up.from, up.to]
    for (const socket of sockets) {
      socket.on('error', () => this.#lost())
      socket.on('close', () => this.#lost())
    }
  }

  stall(until: number): void {
    this.#up.stall(until)
    this.#down.stall(until)
  }

  swallow(): void {
    this.#isSwallowing = true
    this.#up.swallow()
    this.#down.swallow()
  }

  destroy(): void {
    this.#isSwallowing = false
    this.#lost()
  }

  /** One side is gone. The other side is closed too, unless nothing gets through. */
  #lost(): void {
    const { from, to } = this.#up
    if (this.#isSwallowing && !(from.destroyed && to.destroyed)) return
    this.#up.clear()
    this.#down.clear()
    from.destroy()
    to.destroy()
    this.#gone()
  }
}
