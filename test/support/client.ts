import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { WebSocket } from 'ws'
import { type Opening, PROTOCOL, type Welcome } from '../../src/protocol/index.ts'

/** Any frame from the server. */
export interface Message<Data = Record<string, unknown>> {
  readonly type: string
  readonly eid: string
  readonly ts: number
  readonly data: Data
  readonly error?: string
  readonly seq?: number
}

/** The data of an answer with an `error`. */
export interface Failure {
  readonly message: string
  readonly issues?: readonly { readonly path: string; readonly message: string }[]
  readonly retryAfterMs?: number
}

export interface ConnectOptions {
  /** The value of the `Cookie` header. */
  readonly cookie?: string
  readonly origin?: string
  /** Sub-protocols to offer; `rally.v1` unless told otherwise. */
  readonly protocols?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** The address to come from, such as another one of 127.0.0.0/8. */
  readonly localAddress?: string
  readonly deadlineMs?: number
}

/** The server answered the upgrade with something other than 101. */
export class UpgradeRefused extends Error {
  override readonly name = 'UpgradeRefused'
  readonly status: number
  readonly headers: IncomingHttpHeaders

  constructor(status: number, headers: IncomingHttpHeaders) {
    super(`the upgrade was answered with ${status}`)
    this.status = status
    this.headers = headers
  }
}

/** The server answered a request with an error. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed'
  readonly code: string

  constructor(type: string, code: string, data: unknown) {
    super(`${type}: ${code} ${JSON.stringify(data)}`)
    this.code = code
  }
}

const DEADLINE_MS = 5_000
const MAX_INBOX = 200_000

/** Rejects when `promise` takes longer than `deadlineMs`. */
export async function within<T>(promise: Promise<T>, what: string, deadlineMs = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${deadlineMs} ms`)), deadlineMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Messages in the order of their arrival, which tests can wait for. */
export class Inbox<M> {
  readonly #messages: M[] = []
  readonly #waiting = new Set<{ readonly predicate: (message: M) => boolean; readonly resolve: (message: M) => void }>()

  get size(): number {
    return this.#messages.length
  }

  push(message: M): void {
    for (const waiting of this.#waiting) {
      if (!waiting.predicate(message)) continue
      this.#waiting.delete(waiting)
      waiting.resolve(message)
      return
    }
    if (this.#messages.length >= MAX_INBOX) throw new Error('a test reads too little of what it gets')
    this.#messages.push(message)
  }

  /** Takes the first matching message, or waits for one. */
  async next(predicate: (message: M) => boolean = () => true, deadlineMs = DEADLINE_MS): Promise<M> {
    const index = this.#messages.findIndex(predicate)
    const [found] = index === -1 ? [] : this.#messages.splice(index, 1)
    if (found !== undefined) return found
    const waiting = { predicate, resolve: (_: M) => {} }
    const message = new Promise<M>((resolve) => {
      waiting.resolve = resolve
    })
    this.#waiting.add(waiting)
    return within(message, 'a message', deadlineMs).finally(() => this.#waiting.delete(waiting))
  }

  /** Takes the next `count` messages. */
  async take(count: number, deadlineMs = DEADLINE_MS): Promise<M[]> {
    const taken: M[] = []
    while (taken.length < count) taken.push(await this.next(undefined, deadlineMs))
    return taken
  }

  /** Takes all messages that have arrived. */
  drain(): M[] {
    return this.#messages.splice(0)
  }
}

export interface Stream<Snapshot, Event> {
  readonly opening: Opening<Snapshot, Event>
  readonly channel: string
  /** Its events, and the frame that ends it. */
  readonly events: Inbox<Message<Event>>
}

export interface Closed {
  readonly code: number
  readonly reason: string
}

/** One socket to a server under test. */
export class TestClient implements AsyncDisposable {
  readonly welcome: Welcome
  readonly socket: WebSocket
  /** Headers of the server's answer to the upgrade. */
  readonly headers: IncomingHttpHeaders
  readonly closed: Promise<Closed>
  /** Frames that are no answer and no event of a stream opened here. */
  readonly inbox = new Inbox<Message>()
  /** Every frame as it came, kept when `keepRaw` is set. */
  readonly raw: string[] = []
  keepRaw = false
  /** Waiting requests, by `eid`: several when a test retries before it has the first answer. */
  readonly #requests = new Map<string, ((message: Message) => void)[]>()
  readonly #opening = new Set<string>()
  readonly #streams = new Map<string, Inbox<Message>>()

  constructor(socket: WebSocket, welcome: Welcome, headers: IncomingHttpHeaders, closed: Promise<Closed>) {
    this.socket = socket
    this.welcome = welcome
    this.headers = headers
    this.closed = closed
  }

  /** Takes a frame from the socket. Called by `connect`. */
  receive(text: string): void {
    if (this.keepRaw) this.raw.push(text)
    const message = JSON.parse(text) as Message
    const waiting = this.#requests.get(message.eid)
    const settle = waiting?.shift()
    if (waiting?.length === 0) this.#requests.delete(message.eid)
    if (settle) {
      const { channel } = message.data
      // Events may follow in the same read, before the caller continues.
      if (this.#opening.delete(message.eid) && typeof channel === 'string') this.#streams.set(channel, new Inbox())
      settle(message)
      return
    }
    const stream = this.#streams.get(message.eid)
    if (stream) stream.push(message)
    else this.inbox.push(message)
  }

  send(frame: string | Uint8Array): void {
    this.socket.send(frame)
  }

  /** Sends a request; gives its answer, also when it is an error. */
  request<Data = Record<string, unknown>>(
    type: string,
    data: unknown = {},
    options: { readonly eid?: string; readonly deadlineMs?: number } = {},
  ): Promise<Message<Data>> {
    const eid = options.eid ?? randomUUID()
    const answer = new Promise<Message<Data>>((resolve) => {
      const waiting = this.#requests.get(eid) ?? []
      waiting.push(resolve as (message: Message) => void)
      this.#requests.set(eid, waiting)
    })
    this.send(JSON.stringify({ type, data, eid, ts: Date.now() }))
    return within(answer, `the answer to ${type}`, options.deadlineMs)
  }

  /** Sends a request; gives its data. @throws RequestFailed */
  async call<Data = Record<string, unknown>>(
    type: string,
    data: unknown = {},
    options: { readonly deadlineMs?: number } = {},
  ): Promise<Data> {
    const answer = await this.request<Data>(type, data, options)
    if (answer.error !== undefined) throw new RequestFailed(type, answer.error, answer.data)
    return answer.data
  }

  /** The next matching frame that is neither an answer nor an event of a stream opened here. */
  next(predicate?: (message: Message) => boolean, deadlineMs?: number): Promise<Message> {
    return this.inbox.next(predicate, deadlineMs)
  }

  /** Opens a stream. @throws RequestFailed */
  async subscribe<Snapshot = Record<string, unknown>, Event = Snapshot>(
    type: string,
    data: unknown = {},
    options: { readonly deadlineMs?: number } = {},
  ): Promise<Stream<Snapshot, Event>> {
    const eid = randomUUID()
    this.#opening.add(eid)
    const answer = await this.request<Opening<Snapshot, Event>>(type, data, { ...options, eid })
    if (answer.error !== undefined) throw new RequestFailed(type, answer.error, answer.data)
    const { channel } = answer.data
    const events = this.#streams.get(channel) as Inbox<Message<Event>> | undefined
    if (!events) throw new Error(`${type}: the answer names no channel`)
    return { opening: answer.data, channel, events }
  }

  async close(): Promise<void> {
    this.socket.resume()
    this.socket.close()
    await within(this.closed, 'the closing').catch(() => this.socket.terminate())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate()
    await within(this.closed, 'the closing')
  }
}

/** The server's side cut the socket between the upgrade and the welcome. */
class CutBeforeWelcome extends Error {}

/**
 * Opens a socket to a server and waits for its welcome. `url` is the server's HTTP address. A socket that is cut right
 * after the upgrade is opened once more, as every client does: see docs/decisions/uwebsockets-repack.md for the cause.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<TestClient> {
  try {
    return await connectOnce(url, options)
  } catch (error) {
    if (error instanceof CutBeforeWelcome) return connectOnce(url, options)
    throw error
  }
}

async function connectOnce(url: string, options: ConnectOptions): Promise<TestClient> {
  const { socket, upgraded, closed } = open(url, options)
  const early: string[] = []
  let client: TestClient | undefined
  const welcomed = new Promise<Message<Welcome>>((resolve, reject) => {
    socket.on('message', (bytes) => {
      const text = bytes.toString()
      if (client) client.receive(text)
      else if (early.push(text) === 1) resolve(JSON.parse(text) as Message<Welcome>)
    })
    upgraded.catch(reject)
    closed.then(({ code, reason }) => {
      const message = `closed with ${code} ${reason} before the welcome`
      reject(code === 1006 ? new CutBeforeWelcome(message) : new Error(message))
    })
  })
  // It is awaited after the upgrade, whose error is better.
  welcomed.catch(() => {})
  try {
    const headers = await within(upgraded, 'the upgrade', options.deadlineMs)
    const welcome = await within(welcomed, 'the welcome', options.deadlineMs)
    client = new TestClient(socket, welcome.data, headers, closed)
    for (const text of early.slice(1)) client.receive(text)
    return client
  } catch (error) {
    socket.terminate()
    throw error
  }
}

/** The close code of a socket that the server opens only to close it. */
export async function connectToBeClosed(url: string, options: ConnectOptions = {}): Promise<Closed> {
  const { upgraded, closed } = open(url, options)
  await within(upgraded, 'the upgrade')
  return within(closed, 'the closing')
}

/** The status of an upgrade that the server refuses; throws when it does not. */
export async function refusal(url: string, options: ConnectOptions = {}): Promise<UpgradeRefused> {
  try {
    const client = await connect(url, options)
    await client.close()
  } catch (error) {
    if (error instanceof UpgradeRefused) return error
    throw error
  }
  throw new Error('the upgrade was not refused')
}

function open(url: string, options: ConnectOptions) {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, [...(options.protocols ?? [PROTOCOL])], {
    headers: { ...options.headers, ...(options.cookie === undefined ? {} : { Cookie: options.cookie }) },
    ...(options.origin === undefined ? {} : { origin: options.origin }),
    ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    perMessageDeflate: false,
    maxPayload: 64 * 1024 * 1024,
  })
  const closed = new Promise<Closed>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  const upgraded = new Promise<IncomingHttpHeaders>((resolve, reject) => {
    socket.on('upgrade', ({ headers }) => resolve(headers))
    socket.on('unexpected-response', (request, { statusCode = 0, headers }) => {
      reject(new UpgradeRefused(statusCode, headers))
      request.destroy()
    })
    socket.on('error', reject)
  })
  upgraded.catch(() => {})
  return { socket, upgraded, closed }
}
