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

/**
 * A bad network between the client and its socket, to try the netcode. Without faults frames pass at once.
 * `createSocket` makes the real sockets; default: the global WebSocket.
 */
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
    createSocket(url, protocol) {
      const real = createSocket(url, protocol)
      const socket: BadSocket = new BadSocket(
        real,
        () => current,
        () => sockets.delete(socket),
      )
      sockets.add(socket)
      return socket
    },
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
    else if (this.#waiting.push({ at, arrive }) === 1) this.#wait()
    return this.#waiting.length <= MAX_WAITING
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#waiting.length = 0
  }

  #wait(): void {
    const first = this.#waiting[0]
    if (first) this.#timer = setTimeout(() => this.#run(), Math.max(0, first.at - performance.now()))
  }

  #run(): void {
    const now = performance.now()
    while (this.#waiting[0] && this.#waiting[0].at <= now) this.#waiting.shift()?.arrive()
    this.#wait()
  }
}

/** When a frame that is sent at `now` arrives. */
function arrivalOf(now: number, { latencyMs, jitterMs, stallEveryMs, stallMs }: NetworkFaults): number {
  const at = now + latencyMs + Math.random() * jitterMs
  const intoPeriod = stallEveryMs > 0 ? at % stallEveryMs : stallMs
  return intoPeriod < stallMs ? at - intoPeriod + stallMs : at
}

type MessageListener = (event: { readonly data: unknown }) => void
type CloseListener = (event: { readonly code: number }) => void

class BadSocket implements SocketLike {
  readonly #socket: SocketLike
  readonly #gone: () => void
  readonly #up: Lane
  readonly #down: Lane
  readonly #onMessage = new Set<MessageListener>()
  readonly #onClose = new Set<CloseListener>()
  #isOver = false

  constructor(socket: SocketLike, faults: () => NetworkFaults, gone: () => void) {
    this.#socket = socket
    this.#gone = gone
    this.#up = new Lane(faults)
    this.#down = new Lane(faults)
    socket.addEventListener('message', ({ data }) => {
      this.#pass(this.#down, () => {
        for (const listener of this.#onMessage) listener({ data })
      })
    })
    socket.addEventListener('close', ({ code }) => this.#pass(this.#down, () => this.#end(code)))
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

  addEventListener(type: 'message', listener: MessageListener): void
  addEventListener(type: 'close', listener: CloseListener): void
  addEventListener(type: 'error', listener: () => void): void
  addEventListener(
    ...[type, listener]: ['message', MessageListener] | ['close', CloseListener] | ['error', () => void]
  ) {
    if (type === 'message') this.#onMessage.add(listener)
    else if (type === 'close') this.#onClose.add(listener)
  }

  #pass(lane: Lane, arrive: () => void): void {
    if (!this.#isOver && !lane.pass(arrive)) this.cut()
  }

  #end(code: number): void {
    if (this.#isOver) return
    this.#forget()
    for (const listener of this.#onClose) listener({ code })
  }

  #forget(): void {
    this.#isOver = true
    this.#up.clear()
    this.#down.clear()
    this.#gone()
  }
}
