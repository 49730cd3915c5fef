import { setTimeout as sleep } from 'node:timers/promises'
import { closeCodes, type Limits, type Welcome } from '../protocol/index.ts'
import type { Hub } from '../rpc/index.ts'
import { type Admitted, type Receiver, Socket, type UserData } from './socket.ts'
import { SocketHeartbeat } from './socket-heartbeat.ts'
import type { Upgrade } from './upgrade.ts'
import type { TemplatedApp, WebSocket } from './uws.ts'

interface SocketsOptions {
  readonly receiver: Receiver
  readonly hub: Pick<Hub, 'checkBacklog'>
  readonly limits: Limits
  readonly heartbeatMs: number
  readonly isPlaying: (userId: string) => boolean
  readonly node: string
  readonly version: string
  readonly onGone: (admitted: Admitted) => void
  readonly log: { error(details: object, message: string): void }
}

/** Figures of the sockets of one server. */
export interface SocketStats {
  readonly open: number
  readonly opened: number
  /** How many were closed, by close code; codes that are not in the protocol under 0. */
  readonly closed: ReadonlyMap<number, number>
}

/** V8 keeps arrays of up to this many bytes on its heap. */
const MAX_LENT = 64
const FINISH_MS = 1_000
const FINISH_STEP_MS = 20
/** What was written last needs about this long to leave. */
const LAST_FRAMES_MS = 50

const countedCodes: ReadonlySet<number> = new Set([1000, 1001, 1005, 1006, 1009, ...Object.values(closeCodes)])

/** The open sockets of one server: what comes in, what goes out, and whether they live. */
export class Sockets {
  readonly #options: SocketsOptions
  readonly #all = new Set<Socket>()
  /** Sockets that lost a frame and have to be closed before the next one could reach them. */
  readonly #behind = new Set<Socket>()
  readonly #heartbeat: SocketHeartbeat
  readonly #closed = new Map<number, number>()
  /** Views of one buffer, by their length. */
  readonly #lent = viewsOf(new ArrayBuffer(MAX_LENT))
  /** The end of every welcome: all of its data but the user. */
  readonly #sameForAll: string
  #opened = 0
  #lastGoneAt = Number.NEGATIVE_INFINITY
  #app: TemplatedApp | null = null

  constructor(options: SocketsOptions) {
    this.#options = options
    const { node, version, heartbeatMs, isPlaying, limits } = options
    const sameForAll: Omit<Welcome, 'user'> = { node, version, heartbeatMs, limits }
    this.#sameForAll = `${JSON.stringify(sameForAll).slice(1)}}`
    this.#heartbeat = new SocketHeartbeat({
      sockets: this.#all,
      heartbeatMs,
      anonymousIdleMs: limits.anonymousIdleMs,
      isPlaying,
      onError: (error) => this.#failed('heartbeat', error),
    })
  }

  get stats(): SocketStats {
    return { open: this.#all.size, opened: this.#opened, closed: this.#closed }
  }

  /** Puts the endpoint on `app`. */
  attach(app: TemplatedApp, upgrade: Upgrade): void {
    this.#app = app
    const { limits, heartbeatMs } = this.#options
    app.ws<UserData>('/ws', {
      // No compression, which is the default: frames are small, and a compressor costs more memory than its socket.
      maxPayloadLength: limits.frameBytes,
      maxBackpressure: limits.unsentBytes,
      closeOnBackpressureLimit: false,
      // Rally pings at the pace that it told the client; this is for a socket that even a close frame cannot reach.
      sendPingsAutomatically: false,
      idleTimeout: idleSeconds(heartbeatMs),
      upgrade: (res, req, context) => this.#guard('upgrade', () => upgrade(res, req, context)),
      // Within the upgrade, in which nothing may be done with the socket yet.
      open: (ws) => {
        this.#opened++
        ws.getUserData().admitted.ws = ws
      },
      message: (ws, bytes, isBinary) => this.#receive(ws, bytes, isBinary),
      ping: (ws) => this.#seen(ws),
      pong: (ws) => this.#seen(ws),
      drain: (ws) => this.#guard('drain', () => this.#drained(ws)),
      dropped: (ws) => this.#dropped(ws),
      close: (ws, code) => this.#guard('close', () => this.#gone(ws, code)),
    })
  }

  /** Sends one frame to every socket that joined `topic`. */
  publish(topic: string, frame: string | Uint8Array): void {
    this.#closeBehind()
    if (typeof frame === 'string') this.#app?.publish(topic, frame, false)
    else this.#app?.publish(topic, this.#lend(frame), true)
  }

  /**
   * The same bytes where native code can read them. V8 keeps a small array on its own heap and, when asked for its
   * address, makes a buffer outside for it, which costs as much again as publishing it. uWebSockets.js copies what it is given.
   */
  #lend(frame: Uint8Array): Uint8Array {
    const lent = this.#lent[frame.length]
    if (lent === undefined) return frame
    lent.set(frame)
    return lent
  }

  /**
   * Resolves once the sockets that are being closed have had their chance to read to the end. A close frame that was
   * just written needs a moment to get out, as cutting a connection can take back what it has not delivered.
   */
  async finish(): Promise<void> {
    const until = performance.now() + FINISH_MS
    while (this.#closing > 0 && performance.now() < until) await sleep(FINISH_STEP_MS)
    if (performance.now() - this.#lastGoneAt < LAST_FRAMES_MS) await sleep(LAST_FRAMES_MS)
    this.#heartbeat.stop()
  }

  get #closing(): number {
    let count = 0
    for (const socket of this.#all) if (socket.isClosing) count++
    return count
  }

  /** Begins to serve a socket that was just upgraded. */
  open(admitted: Admitted): void {
    const { ws, caller, isForeign } = admitted
    if (ws === null) return
    if (isForeign) {
      ws.end(closeCodes.notOurProtocol, 'not our protocol')
      return
    }
    const { receiver } = this.#options
    const socket = new Socket(ws, receiver, performance.now())
    admitted.socket = socket
    this.#all.add(socket)
    const { user, sessionId } = caller
    if (sessionId !== null && receiver.connections.hasJustEnded(sessionId)) {
      socket.close(closeCodes.sessionEnded, 'the session has ended')
    } else socket.send(this.#welcome(user && { id: user.id, username: user.username }))
  }

  #welcome(user: Welcome['user']): string {
    const head = `{"type":"rpc.welcome","eid":"welcome","ts":${Date.now()},"data":{"user":${JSON.stringify(user)},`
    return head + this.#sameForAll
  }

  #receive(ws: WebSocket<UserData>, bytes: ArrayBuffer, isBinary: boolean): void {
    const { socket } = ws.getUserData().admitted
    if (socket === null || socket.isClosing) return
    const now = performance.now()
    socket.seenAt = now
    const { receiver } = this.#options
    // As #guard does, without a closure for every frame.
    try {
      if (!isBinary) receiver.receive(socket, bytes, now)
      else receiver.receiveBinary(socket, new Uint8Array(bytes), now)
    } catch (error) {
      this.#failed('message', error)
    }
  }

  #seen(ws: WebSocket<UserData>): void {
    const { socket } = ws.getUserData().admitted
    if (socket !== null) socket.seenAt = performance.now()
  }

  #drained(ws: WebSocket<UserData>): void {
    const { socket } = ws.getUserData().admitted
    if (socket === null) return
    socket.seenAt = performance.now()
    socket.drained()
    if (!socket.isClosing) this.#options.hub.checkBacklog(socket)
  }

  /**
   * uWebSockets.js may call this while it walks the subscribers of a topic, when nothing may leave one: so the
   * socket is closed later, but before anything else is published.
   */
  #dropped(ws: WebSocket<UserData>): void {
    const { socket } = ws.getUserData().admitted
    if (socket === null || socket.isClosing) return
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
    const counted = countedCodes.has(code) ? code : 0
    this.#closed.set(counted, (this.#closed.get(counted) ?? 0) + 1)
    if (socket === null) return
    this.#lastGoneAt = performance.now()
    this.#all.delete(socket)
    this.#behind.delete(socket)
    socket.gone()
  }

  /** An exception must not reach uWebSockets.js: it would end the process. */
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

/** What uWebSockets.js takes for an idle timeout: 8 to 960 seconds, in steps of four. Three heartbeats, if it can be. */
function idleSeconds(heartbeatMs: number): number {
  return Math.min(960, Math.max(12, Math.ceil((3 * heartbeatMs) / 4000) * 4))
}

function viewsOf(buffer: ArrayBuffer): readonly Uint8Array[] {
  return Array.from({ length: buffer.byteLength + 1 }, (_, length) => new Uint8Array(buffer, 0, length))
}
