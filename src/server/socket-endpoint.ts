import { setTimeout as sleep } from 'node:timers/promises'
import { closeCodes, type Limits, type Welcome } from '../protocol/index.ts'
import { credentialOf, type Hub } from '../rpc/index.ts'
import { type Admitted, bytesOf, type Receiver, Socket, type Traffic, type UserData } from './socket.ts'
import { type HeartbeatOptions, SocketHeartbeat } from './socket-heartbeat.ts'
import type { Upgrade } from './upgrade.ts'
import type { TemplatedApp, WebSocket } from './uws.ts'

interface SocketsOptions extends HeartbeatOptions {
  readonly receiver: Receiver
  readonly hub: Pick<Hub, 'checkBacklog'>
  readonly limits: Limits
  readonly node: string
  readonly version: string
  readonly onGone: (admitted: Admitted) => void
  readonly log: { error(details: object, message: string): void }
}

/** How many sockets there are, and were opened and closed since the start. */
interface SocketCounts {
  open: number
  opened: number
  /** By close code: the one of this server, else the one that came. 0 for codes that are not in the protocol. */
  readonly closed: ReadonlyMap<number, number>
}

/** Statistics of the sockets of one server. */
export interface SocketStats extends SocketCounts, Readonly<Traffic> {
  /** Those of them that have a user. */
  readonly ofUsers: SocketCounts
}

/** V8 keeps arrays of up to this many bytes on its heap. */
const MAX_LENT = 64
const FINISH_MS = 1_000
const FINISH_STEP_MS = 20
/** What was written last needs about so long to be sent. */
const LAST_FRAMES_MS = 50

const countedCodes: ReadonlySet<number> = new Set([1000, 1001, 1005, 1006, 1009, ...Object.values(closeCodes)])

/** The open sockets of one server. */
export class Sockets {
  readonly #options: SocketsOptions
  readonly #all = new Set<Socket>()
  /** Sockets that lost a frame. They are closed before anything else is published. */
  readonly #behind = new Set<Socket>()
  readonly #heartbeat: SocketHeartbeat
  readonly #counts = { open: 0, opened: 0, closed: new Map<number, number>() }
  readonly #ofUsers = { open: 0, opened: 0, closed: new Map<number, number>() }
  readonly #traffic: Traffic = { receivedBytes: 0, sentBytes: 0, droppedFrames: 0 }
  readonly #buffer = new ArrayBuffer(MAX_LENT)
  /** Views of that buffer, by length. */
  readonly #lent = Array.from({ length: MAX_LENT + 1 }, (_, length) => new Uint8Array(this.#buffer, 0, length))
  /** The end of every welcome: all its data except the user. */
  readonly #sameForAll: string
  #lastGoneAt = Number.NEGATIVE_INFINITY
  #app: TemplatedApp | null = null

  constructor(options: SocketsOptions) {
    this.#options = options
    const { node, version, heartbeatMs, limits } = options
    const sameForAll: Omit<Welcome, 'user'> = { node, version, heartbeatMs, limits }
    this.#sameForAll = `${JSON.stringify(sameForAll).slice(1)}}`
    this.#heartbeat = new SocketHeartbeat(this.#all, options, (error) => this.#failed('heartbeat', error))
  }

  get stats(): SocketStats {
    return { ...this.#counts, ...this.#traffic, ofUsers: this.#ofUsers }
  }

  /** Adds the endpoint to `app`. */
  attach(app: TemplatedApp, upgrade: Upgrade): void {
    this.#app = app
    const { limits, heartbeatMs } = this.#options
    app.ws<UserData>('/ws', {
      // Compression stays off: frames are small, and a compressor takes more memory than its socket.
      maxPayloadLength: limits.frameBytes,
      maxBackpressure: limits.unsentBytes,
      closeOnBackpressureLimit: false,
      // SocketHeartbeat pings. This timeout is for sockets that even a close frame cannot reach.
      sendPingsAutomatically: false,
      idleTimeout: idleSeconds(heartbeatMs),
      upgrade: (res, req, context) => this.#guard('upgrade', () => upgrade(res, req, context)),
      // This runs within the upgrade, when the socket may not be used yet.
      open: (ws) => {
        const { admitted } = ws.getUserData()
        admitted.ws = ws
        for (const counts of this.#countsOf(admitted)) {
          counts.open++
          counts.opened++
        }
      },
      message: (ws, bytes, isBinary) => this.#receive(ws, bytes, isBinary),
      ping: (ws) => this.#seen(ws),
      pong: (ws) => this.#read(ws),
      drain: (ws) => this.#guard('drain', () => this.#drained(ws)),
      dropped: (ws) => this.#dropped(ws),
      close: (ws, code) => this.#guard('close', () => this.#gone(ws, code)),
    })
  }

  /** Sends one frame to every socket that joined `topic`, of which there are so many. */
  publish(topic: string, frame: string | Uint8Array, sockets: number): void {
    this.#closeBehind()
    this.#traffic.sentBytes += sockets * bytesOf(frame)
    if (typeof frame === 'string') this.#app?.publish(topic, frame, false)
    else this.#app?.publish(topic, this.#lend(frame), true)
  }

  /**
   * Copies the bytes to where native code can read them. V8 keeps small arrays on its heap: asked for their address, it makes
   * a buffer outside, which costs as much as publishing. uWebSockets.js copies what it is given.
   */
  #lend(frame: Uint8Array): Uint8Array {
    const lent = this.#lent[frame.length]
    if (lent === undefined) return frame
    lent.set(frame)
    return lent
  }

  /** Waits a while until closing sockets have read what they were sent: cutting a connection discards the rest. */
  async finish(): Promise<void> {
    const until = performance.now() + FINISH_MS
    const areClosing = () => [...this.#all].some((socket) => socket.isClosing)
    while (areClosing() && performance.now() < until) await sleep(FINISH_STEP_MS)
    if (performance.now() - this.#lastGoneAt < LAST_FRAMES_MS) await sleep(LAST_FRAMES_MS)
    this.#heartbeat.stop()
  }

  /** Begins to serve a socket that was just upgraded. */
  open(admitted: Admitted): void {
    const { ws, caller, refusal } = admitted
    if (ws === null) return
    if (refusal !== null) {
      ws.end(refusal.code, refusal.reason)
      return
    }
    const { receiver } = this.#options
    const socket = new Socket(ws, receiver, this.#traffic, performance.now())
    admitted.socket = socket
    this.#all.add(socket)
    const { user } = caller
    const credential = credentialOf(caller)
    if (credential !== null && receiver.connections.hasJustEnded(credential)) {
      socket.close(closeCodes.sessionEnded, 'the session has ended')
      return
    }
    const who: Welcome['user'] = user && { id: user.id, username: user.username }
    const head = `{"type":"rpc.welcome","eid":"welcome","ts":${Date.now()},"data":{"user":${JSON.stringify(who)},`
    socket.send(head + this.#sameForAll)
    // A socket that only opens is not pinged for its welcome.
    socket.unreadBytes = 0
  }

  #receive(ws: WebSocket<UserData>, bytes: ArrayBuffer, isBinary: boolean): void {
    const { socket } = ws.getUserData().admitted
    if (socket === null || socket.isClosing) return
    const now = performance.now()
    socket.seenAt = now
    this.#traffic.receivedBytes += bytes.byteLength
    const { receiver } = this.#options
    // Like #guard, without a closure for every frame.
    try {
      if (!isBinary) receiver.receive(socket, bytes, now)
      else receiver.receiveBinary(socket, new Uint8Array(bytes), now)
    } catch (error) {
      this.#failed('message', error)
    }
  }

  #seen(ws: WebSocket<UserData>): Socket | null {
    const { socket } = ws.getUserData().admitted
    if (socket !== null) socket.seenAt = performance.now()
    return socket
  }

  #read(ws: WebSocket<UserData>): Socket | null {
    const socket = this.#seen(ws)
    if (socket === null) return null
    socket.readAt = socket.seenAt
    socket.unreadBytes = 0
    return socket
  }

  #drained(ws: WebSocket<UserData>): void {
    const socket = this.#read(ws)
    if (socket === null) return
    socket.drained()
    if (!socket.isClosing) this.#options.hub.checkBacklog(socket)
  }

  /**
   * uWebSockets.js may call this while it visits the subscribers of a topic, when no socket may leave one. So the socket is
   * closed later, but before anything else is published.
   */
  #dropped(ws: WebSocket<UserData>): void {
    const { socket } = ws.getUserData().admitted
    if (socket === null || socket.isClosing) return
    this.#traffic.droppedFrames++
    if (this.#behind.size === 0) setImmediate(() => this.#guard('dropped', () => this.#closeBehind()))
    this.#behind.add(socket)
  }

  #closeBehind(): void {
    for (const socket of this.#behind) {
      this.#behind.delete(socket)
      socket.close(closeCodes.tooSlow, 'too slow')
    }
  }

  #gone(ws: WebSocket<UserData>, code: number): void {
    const { admitted } = ws.getUserData()
    const { socket } = admitted
    admitted.ws = null
    this.#options.onGone(admitted)
    const closedWith = socket?.closeCode ?? (countedCodes.has(code) ? code : 0)
    for (const counts of this.#countsOf(admitted)) {
      counts.open--
      counts.closed.set(closedWith, (counts.closed.get(closedWith) ?? 0) + 1)
    }
    if (socket === null) return
    this.#lastGoneAt = performance.now()
    this.#all.delete(socket)
    this.#behind.delete(socket)
    socket.gone()
  }

  #countsOf({ caller }: Admitted) {
    return caller.user === null ? [this.#counts] : [this.#counts, this.#ofUsers]
  }

  /** An exception that reaches uWebSockets.js ends the process. */
  #guard(where: string, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#failed(where, error)
    }
  }

  #failed(where: string, error: unknown): void {
    this.#options.log.error({ err: error, where }, 'a socket handler failed')
  }
}

/** Three heartbeats, as uWebSockets.js takes it: 8 to 960 seconds, in steps of four. */
function idleSeconds(heartbeatMs: number): number {
  return Math.min(960, Math.max(12, Math.ceil((3 * heartbeatMs) / 4000) * 4))
}
