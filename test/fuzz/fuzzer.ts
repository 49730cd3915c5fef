import { WebSocket } from 'ws'
import { PROTOCOL } from '../../src/protocol/envelope.ts'
import { within } from '../support/client.ts'
import type { Target } from './catalogue.ts'
import { type Frame, makeFrame, makeValidFrame } from './frames.ts'
import type { Identity } from './fuzzed-world.ts'
import { Pools } from './plausible.ts'
import { Random } from './random.ts'
import type { Verdicts } from './verdicts.ts'

/** Frames between two waits for the server. */
const BATCH = 50
/** So many `eid`s are remembered, to match answers to frames. */
const REMEMBERED = 4_000
const DEADLINE_MS = 30_000

interface FuzzerOptions {
  readonly url: string
  /** The address to come from: limits count by it. */
  readonly localAddress: string
  readonly seed: number
  readonly pools: Pools
  readonly verdicts: Verdicts
  /** What it asks for before anything is drawn. */
  readonly first?: readonly Target[]
  /** The header that proves who opens the next connection; null for nobody. */
  readonly identity: () => Promise<Identity | null>
}

/** A client that sends frame after frame, and reconnects when its socket is closed. */
export class Fuzzer {
  readonly #options: FuzzerOptions
  readonly #random: Random
  readonly #pools: Pools
  readonly #recent = new Map<string, Frame>()
  #sent = 0
  #barriers = 0
  #atBarrier: { readonly eid: string; readonly resolve: () => void } | null = null

  constructor(options: FuzzerOptions) {
    this.#options = options
    this.#random = new Random(options.seed)
    this.#pools = new Pools(options.pools)
  }

  /** Sends `count` frames; goes on after each batch once the server has read it or has closed the socket. Resolves with the open socket. */
  async run(count: number): Promise<WebSocket> {
    let socket = await this.#connect()
    while (this.#sent < count) {
      for (let i = Math.min(BATCH, count - this.#sent); i > 0; i--) this.#send(socket)
      await this.#barrier(socket)
      if (socket.readyState !== WebSocket.OPEN && this.#sent < count) socket = await this.#connect()
    }
    return socket
  }

  #send(socket: WebSocket): void {
    const target = this.#options.first?.[this.#sent]
    const frame = target
      ? makeValidFrame(target, this.#sent, this.#random, this.#pools)
      : makeFrame(this.#sent, this.#random, this.#pools)
    this.#sent++
    this.#options.verdicts.sent(frame)
    if (frame.eid !== undefined) this.#remember(frame.eid, frame)
    // An earlier frame may have closed the socket. The next frames are drawn as if it had not.
    if (socket.readyState === WebSocket.OPEN) socket.send(frame.bytes, { binary: frame.isBinary })
  }

  #remember(eid: string, frame: Frame): void {
    this.#recent.set(eid, frame)
    if (this.#recent.size <= REMEMBERED) return
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest)
      break
    }
  }

  /** Opens a socket; asks again when the server is busy (503), or when a user was banned or removed meanwhile (401). */
  async #connect(): Promise<WebSocket> {
    const until = Date.now() + DEADLINE_MS
    for (;;) {
      const socket = this.#open(await this.#options.identity())
      const refusal = await within(opening(socket), 'an open socket', DEADLINE_MS)
      if (refusal === null) return socket
      if (!/\b(401|503)\b/.test(refusal.message) || Date.now() > until) throw refusal
      this.#options.verdicts.refusals++
    }
  }

  #open(identity: Identity | null): WebSocket {
    const { url, localAddress, verdicts } = this.#options
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, [PROTOCOL], {
      perMessageDeflate: false,
      localAddress,
      headers: { ...identity },
    })
    socket.on('message', (data, isBinary) => {
      verdicts.received++
      if (isBinary) return
      const message = verdicts.judge(data.toString(), (eid) => this.#recent.get(eid))
      if (!message) return
      if (message.eid === this.#atBarrier?.eid) this.#atBarrier.resolve()
      if (message.error === undefined && message.seq === undefined) this.#pools.learn(message.data)
    })
    // The close event tells how it ended.
    socket.on('error', () => undefined)
    socket.on('close', (code) => {
      verdicts.closed(code)
      this.#atBarrier?.resolve()
    })
    return socket
  }

  async #barrier(socket: WebSocket): Promise<void> {
    if (socket.readyState !== WebSocket.OPEN) return
    const eid = `barrier-${++this.#barriers}`
    const answered = new Promise<void>((resolve) => {
      this.#atBarrier = { eid, resolve }
    })
    // It waits for the database behind the requests before it.
    socket.send(JSON.stringify({ type: 'matches.getOne', data: { matchId: 'none' }, eid, ts: 0 }))
    await within(answered, 'an answer after the batch', DEADLINE_MS)
    this.#atBarrier = null
  }
}

/** Resolves with null when it is open, or with the reason why it is not. */
function opening(socket: WebSocket): Promise<Error | null> {
  return new Promise((resolve) => {
    socket.once('open', () => resolve(null))
    socket.once('error', resolve)
  })
}

/** Closes a socket, and waits until the server has closed it too. */
export async function close(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
  })
  socket.close()
  await within(closed, 'the closing', DEADLINE_MS)
}
