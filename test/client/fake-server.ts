import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { type ClientMessage, defaultLimits, type Limits, PROTOCOL, type Welcome } from '../../src/protocol/index.ts'

/** What a handler answers: the `data`, or a refusal; `undefined` leaves the request without an answer. */
export type Reply = { readonly data: unknown } | { readonly error: string; readonly data: unknown } | undefined
type Handler = (message: ClientMessage, socket: FakeSocket) => Reply

export interface FakeServerOptions {
  readonly heartbeatMs?: number
  readonly limits?: Partial<Limits>
}

/** Waits for something that comes as often as it likes; what came before it was asked for is kept. */
class Inbox<Item> {
  readonly all: Item[] = []
  #taken = 0
  #waiting: ((item: Item) => void)[] = []

  put(item: Item): void {
    this.all.push(item)
    const waiting = this.#waiting.shift()
    if (waiting) {
      this.#taken++
      waiting(item)
    }
  }

  next(): Promise<Item> {
    const item = this.all[this.#taken]
    if (item !== undefined) {
      this.#taken++
      return Promise.resolve(item)
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

/** The server's end of one socket. */
export class FakeSocket {
  readonly ws: WebSocket
  readonly request: IncomingMessage
  /** Requests of this socket by type, in their order. */
  readonly inboxes = new Map<string, Inbox<ClientMessage>>()
  readonly closed: Promise<number>

  constructor(ws: WebSocket, request: IncomingMessage) {
    this.ws = ws
    this.request = request
    this.closed = new Promise((resolve) => ws.on('close', resolve))
  }

  inbox(type: string): Inbox<ClientMessage> {
    const inbox = this.inboxes.get(type) ?? new Inbox()
    this.inboxes.set(type, inbox)
    return inbox
  }

  /** The next request of `type` that was not waited for yet. */
  next(type: string): Promise<ClientMessage> {
    return this.inbox(type).next()
  }

  /** How many requests of `type` have come. */
  count(type: string): number {
    return this.inboxes.get(type)?.all.length ?? 0
  }

  send(frame: object): void {
    this.ws.send(JSON.stringify({ ts: Date.now(), ...frame }))
  }

  answer({ type, eid }: ClientMessage, data: unknown, error?: string): void {
    this.send({ type, eid, data, error })
  }

  event(channel: string, seq: number, data: unknown): void {
    this.send({ type: channel.split('/')[0], eid: channel, seq, data })
  }

  end(channel: string, reason: string): void {
    this.send({ type: channel.split('/')[0], eid: channel, data: { reason }, error: 'STREAM_CLOSED' })
  }
}

/** A server that does what a test tells it to, over real sockets. */
export class FakeServer {
  readonly #http: Server
  readonly #sockets = new Inbox<FakeSocket>()
  readonly #handlers = new Map<string, Handler>()
  readonly #options: FakeServerOptions
  /** Who the next sockets belong to. */
  user: Welcome['user'] = null
  node = 'n1'
  /** Upgrades are cut off. */
  refusing = false
  /** No welcome is sent. */
  mute = false
  /** Takes `/session`. */
  session: (method: string, body: string) => { status: number; body?: object; cookie?: string } = () => ({
    status: 204,
  })
  /** Attempts to open a socket, refused ones among them. */
  attempts: number[] = []

  static async start(options: FakeServerOptions = {}): Promise<FakeServer> {
    const server = new FakeServer(options)
    await new Promise<void>((resolve) => server.#http.listen(0, '127.0.0.1', resolve))
    return server
  }

  private constructor(options: FakeServerOptions) {
    this.#options = options
    this.on('rpc.ping', () => ({ data: {} }))
    this.on('rpc.unsubscribe', () => ({ data: {} }))
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => PROTOCOL })
    this.#http = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += String(chunk)
      })
      request.on('end', () => {
        const answer = this.session(request.method ?? '', body)
        response.writeHead(answer.status, {
          ...(answer.cookie && { 'set-cookie': answer.cookie }),
          'content-type': 'application/json',
        })
        response.end(answer.body && JSON.stringify(answer.body))
      })
    })
    this.#http.on('upgrade', (request, tcp, head) => {
      this.attempts.push(performance.now())
      if (this.refusing) tcp.destroy()
      else sockets.handleUpgrade(request, tcp, head, (ws) => this.#accept(new FakeSocket(ws, request)))
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  /** Sockets that were ever opened. */
  get sockets(): readonly FakeSocket[] {
    return this.#sockets.all
  }

  /** The next socket that was not waited for yet. */
  nextSocket(): Promise<FakeSocket> {
    return this.#sockets.next()
  }

  on(type: string, handler: Handler): void {
    this.#handlers.set(type, handler)
  }

  /** Requests of `type` over all sockets, in their order. */
  received(type: string): ClientMessage[] {
    return this.sockets.flatMap((socket) => socket.inbox(type).all)
  }

  async close(): Promise<void> {
    for (const { ws } of this.sockets) ws.terminate()
    this.#http.closeAllConnections()
    await new Promise((resolve) => this.#http.close(resolve))
  }

  #accept(socket: FakeSocket): void {
    socket.ws.on('message', (text) => {
      const message = JSON.parse(String(text)) as ClientMessage
      const reply = this.#handlers.get(message.type)?.(message, socket)
      if (reply) socket.answer(message, reply.data, 'error' in reply ? reply.error : undefined)
      socket.inbox(message.type).put(message)
    })
    if (!this.mute) {
      const welcome: Welcome = {
        user: this.user,
        node: this.node,
        version: 'test',
        heartbeatMs: this.#options.heartbeatMs ?? 15_000,
        limits: { ...defaultLimits, ...this.#options.limits },
      }
      socket.send({ type: 'rpc.welcome', eid: 'welcome', data: welcome })
    }
    this.#sockets.put(socket)
  }
}
