import { EventEmitter } from '../event-emitter.ts'
import type { SocketLike } from '../handshake.ts'

/** What is wrong with a network. All of it can be changed while it is in use. */
export interface NetworkFaults {
  /** Added to each direction, ms: half of what it adds to the round trip. */
  readonly latencyMs: number
  /** A random addition to each frame, 0 to this, ms. Frames stay in order, as on a TCP connection. */
  readonly jitterMs: number
  /** How often nothing moves for `stallMs`, ms; 0 for never. */
  readonly stallEveryMs: number
  readonly stallMs: number
}

type CreateSocket = (url: string, protocol: string) => SocketLike

export interface BadNetwork {
  /** The `createSocket` of `createClient`. */
  readonly createSocket: CreateSocket
  readonly faults: NetworkFaults
  /** Changes the faults from the next frame on. */
  set(faults: Partial<NetworkFaults>): void
  /** Cuts every connection. What was under way is lost. */
  cut(): void
}

export const NO_FAULTS: NetworkFaults = { latencyMs: 0, jitterMs: 0, stallEveryMs: 0, stallMs: 0 }

const CUT = 1006
/** The most frames that wait in one direction. More cut the connection. */
const MAX_WAITING = 4_096

/** A bad network between the client and its sockets, to try the netcode. Without faults frames pass at once. */
export function createBadNetwork(
  faults: Partial<NetworkFaults> = {},
  createSocket: CreateSocket = (url, protocol) => new WebSocket(url, protocol),
): BadNetwork {
  let current: NetworkFaults = { ...NO_FAULTS, ...faults }
  const sockets = new Set<BadSocket>()
  return {
    get faults() {
      return current
    },
    createSocket: (url, protocol) => new BadSocket(createSocket(url, protocol), () => current, sockets),
    set(faults) {
      current = { ...current, ...faults }
    },
    cut() {
      for (const socket of [...sockets]) socket.cut()
    },
  }
}

/** Frames on their way in one direction, in order. */
class Lane {
  readonly #faults: () => NetworkFaults
  readonly #waiting: { readonly at: number; readonly arrive: () => void }[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(faults: () => NetworkFaults) {
    this.#faults = faults
  }

  /** Answers false when too many frames wait. */
  pass(arrive: () => void): boolean {
    const now = performance.now()
    const at = Math.max(arrivalOf(now, this.#faults()), this.#waiting.at(-1)?.at ?? 0)
    if (at <= now && this.#waiting.length === 0) arrive()
    else if (this.#waiting.push({ at, arrive }) === 1) this.#run()
    return this.#waiting.length <= MAX_WAITING
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#waiting.length = 0
  }

  /** Passes on what is due, and waits for the next frame. */
  #run(): void {
    const now = performance.now()
    while (this.#waiting[0] && this.#waiting[0].at <= now) this.#waiting.shift()?.arrive()
    const first = this.#waiting[0]
    if (first) this.#timer = setTimeout(() => this.#run(), first.at - now)
  }
}

function arrivalOf(now: number, { latencyMs, jitterMs, stallEveryMs, stallMs }: NetworkFaults): number {
  const at = now + latencyMs + Math.random() * jitterMs
  const intoPeriod = stallEveryMs > 0 ? at % stallEveryMs : stallMs
  return intoPeriod < stallMs ? at - intoPeriod + stallMs : at
}

interface SocketEvents {
  message: { readonly data: unknown }
  close: { readonly code: number; readonly reason: string }
  error: undefined
}

class BadSocket implements SocketLike {
  readonly #socket: SocketLike
  readonly #open: Set<BadSocket>
  readonly #up: Lane
  readonly #down: Lane
  readonly #events = new EventEmitter<SocketEvents>()
  #isOver = false

  /** It is in `open` until it is over. */
  constructor(socket: SocketLike, faults: () => NetworkFaults, open: Set<BadSocket>) {
    this.#socket = socket
    this.#open = open.add(this)
    this.#up = new Lane(faults)
    this.#down = new Lane(faults)
    socket.addEventListener('message', ({ data }) => {
      this.#pass(this.#down, () => this.#events.emit('message', { data }))
    })
    socket.addEventListener('close', ({ code, reason }) => this.#pass(this.#down, () => this.#end(code, reason)))
    socket.addEventListener('error', () => {})
  }

  get binaryType(): string {
    return this.#socket.binaryType
  }

  set binaryType(type: string) {
    this.#socket.binaryType = type
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#pass(this.#up, () => this.#socket.send(data))
  }

  close(code?: number, reason?: string): void {
    this.#forget()
    this.#socket.close(code, reason)
  }

  cut(): void {
    if (this.#isOver) return
    this.#end(CUT)
    this.#socket.close()
  }

  addEventListener<Type extends keyof SocketEvents>(type: Type, listener: (event: SocketEvents[Type]) => void): void {
    this.#events.on(type, listener)
  }

  #pass(lane: Lane, arrive: () => void): void {
    if (!this.#isOver && !lane.pass(arrive)) this.cut()
  }

  #end(code: number, reason = ''): void {
    if (this.#isOver) return
    this.#forget()
    this.#events.emit('close', { code, reason })
  }

  #forget(): void {
    this.#isOver = true
    this.#up.clear()
    this.#down.clear()
    this.#open.delete(this)
  }
}
