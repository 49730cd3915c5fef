import type { ClientEvents } from '../../src/client/index.ts'
import { type Play, type PlayableGame, type PlayClient, type PlayOptions, play } from '../../src/client/play/index.ts'
import type { AnyListener } from '../../src/client/types.ts'
import { MatchRunner } from '../../src/engine/match-runner.ts'
import { hashState } from '../../src/games/hash.ts'
import { nextFloat, type PrngState, seedPrng } from '../../src/games/prng.ts'
import type { InputLog } from '../../src/games/simulate.ts'
import { indexOfInput } from '../../src/games/simulate.ts'
import {
  decodeInput,
  encodeChange,
  encodeEnd,
  encodeJsonChange,
  encodeKeyframe,
  resolveTick,
} from '../../src/protocol/live-frames.ts'

/** The number of the match in frames. */
export const STREAM = 5

/** How one client's connection is, each way. Frames stay in order. */
export interface Link {
  latencyMs: number
  jitterMs: number
  stallEveryMs: number
  stallMs: number
}

export const GOOD_LINK: Link = { latencyMs: 0, jitterMs: 0, stallEveryMs: 0, stallMs: 0 }

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** Everything happens at a time of its own making, so that a test is fast and the same on every run. */
export class VirtualTime {
  readonly #random: PrngState
  readonly #events: Event[] = []
  #order = 0
  #now = 1_000

  constructor(seed: number) {
    this.#random = seedPrng(seed)
  }

  get now(): number {
    return this.#now
  }

  random(): number {
    return nextFloat(this.#random)
  }

  at(time: number, run: () => void): void {
    const event = { at: Math.max(time, this.#now), order: this.#order++, run }
    let index = this.#events.length
    while (index > 0 && isAfter(this.#events[index - 1], event)) index--
    this.#events.splice(index, 0, event)
  }

  every(ms: number, run: () => boolean): void {
    const again = () => {
      if (run()) this.at(this.#now + ms, again)
    }
    this.at(this.#now + ms, again)
  }

  runUntil(time: number): void {
    for (let next = this.#events[0]; next && next.at <= time; next = this.#events[0]) {
      this.#events.shift()
      this.#now = next.at
      next.run()
    }
    this.#now = time
  }
}

function isAfter(one: Event | undefined, other: Event): boolean {
  return one !== undefined && (one.at > other.at || (one.at === other.at && one.order > other.order))
}

/** One direction of a link. */
class Lane {
  readonly #time: VirtualTime
  readonly #link: Link
  #last = 0

  constructor(time: VirtualTime, link: Link) {
    this.#time = time
    this.#link = link
  }

  send(run: () => void): void {
    const { latencyMs, jitterMs, stallEveryMs, stallMs } = this.#link
    let at = this.#time.now + latencyMs + this.#time.random() * jitterMs
    const into = stallEveryMs > 0 ? at % stallEveryMs : stallMs
    if (into < stallMs) at += stallMs - into
    this.#last = Math.max(this.#last, at)
    this.#time.at(this.#last, run)
  }
}

export interface VirtualMatchOptions<State, Input, Options> {
  readonly game: PlayableGame<State, Input, Options>
  readonly options: Options
  readonly time: VirtualTime
  readonly maxRewindMs?: number
  readonly botSeats?: readonly number[]
}

/** The server's own runner with virtual sockets, and any number of clients that play through them. */
export class VirtualMatch<State, Input, Options> {
  readonly time: VirtualTime
  readonly runner: MatchRunner
  readonly #game: PlayableGame<State, Input, Options>
  readonly #options: Options
  readonly #clients = new Set<VirtualClient>()
  #status: 'waiting' | 'live' | 'finished' = 'waiting'
  #due = 0
  /** Takes no inputs. */
  deaf = false
  /** Frames changed on their way to the clients. */
  tamper: (frame: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> = (frame) => frame

  constructor({ game, options, time, maxRewindMs = 100, botSeats = [] }: VirtualMatchOptions<State, Input, Options>) {
    this.time = time
    this.#game = game
    this.#options = options
    const maxRewindTicks = Math.ceil((maxRewindMs * game.tickRate) / 1000)
    this.runner = new MatchRunner(
      { matchId: 'm', game, seed: 77, options, botSeats, maxRewindTicks },
      {
        started: () => {},
        stepped: () => {},
        changed: (_, tick, seat, input, moved) => {
          const index = indexOfInput<unknown>(game, input)
          this.#publish(
            index >= 0
              ? encodeChange(STREAM, tick, seat, index, moved)
              : encodeJsonChange(STREAM, tick, seat, input, moved),
          )
        },
        keyframe: (_, { tick, state }) => this.#publish(encodeKeyframe(STREAM, tick, hashState(state))),
        ended: (runner) => {
          this.#status = 'finished'
          this.#publish(encodeKeyframe(STREAM, runner.tick, hashState(runner.state)))
          this.#publish(encodeEnd(STREAM, runner.tick, 'finished'))
        },
      },
    )
  }

  get log(): InputLog<Input, Options> {
    const { log, tick, seed } = this.runner
    return { seed, options: this.#options, changes: log as InputLog<Input>['changes'], ticks: tick }
  }

  get isOver(): boolean {
    return this.runner.isOver
  }

  start(): void {
    this.#status = 'live'
    this.#publish(encodeKeyframe(STREAM, 0, hashState(this.runner.state)))
    if (this.#game.tickRate === 0) return
    const periodMs = 1000 / this.#game.tickRate
    this.#due = this.time.now + periodMs
    const tick = () => {
      if (this.time.now < this.#due) {
        this.time.at(this.#due, tick)
        return
      }
      this.runner.advance()
      this.#due += periodMs
      if (!this.isOver) this.time.at(this.#due, tick)
    }
    this.time.at(this.#due, tick)
  }

  /** The server stands still, and does not catch up. */
  pause(ms: number): void {
    this.#due += ms
  }

  join(link: Link, options: PlayOptions<State>): { play: Play<State, Input>; client: VirtualClient } {
    const client = new VirtualClient(this.time, link, {
      open: () => this.#snapshot(),
      receive: (bytes) => this.#receive(bytes),
    })
    this.#clients.add(client)
    return { client, play: play(client, 'm', this.#game, { now: () => this.time.now, ...options }) }
  }

  #receive(bytes: Uint8Array): void {
    if (this.deaf) return
    const frame = decodeInput(bytes)
    if (frame?.kind === 'input') {
      const input = this.#game.inputs?.[frame.index]
      this.runner.input(frame.seat, input, resolveTick(frame.tickWord, this.runner.tick, 16))
    } else if (frame?.kind === 'json') {
      this.runner.input(frame.seat, frame.input, resolveTick(frame.tickWord, this.runner.tick, 16))
    }
  }

  #snapshot(): unknown {
    const { finalFrame, log, tick, rewindTicks, seed } = this.runner
    return structuredClone({
      tick: finalFrame.tick,
      state: finalFrame.state,
      inputs: finalFrame.inputs,
      changes: log.filter((one) => one.tick >= finalFrame.tick).map((one) => [one.tick, one.seat, one.input]),
      now: tick,
      status: this.#status,
      stream: this.#status === 'finished' ? null : STREAM,
      game: this.#game.name,
      rulesVersion: this.#game.version,
      seed,
      options: this.#options,
      tickRate: this.#game.tickRate,
      rewindTicks,
      delayMs: 0,
    })
  }

  #publish(frame: Uint8Array<ArrayBuffer>): void {
    for (const client of this.#clients) client.deliver(this.tamper(frame.slice()))
  }
}

type Handlers = { [Name in keyof ClientEvents]?: Set<(value: ClientEvents[Name]) => void> }

/** As much of a client as `play` uses. */
export class VirtualClient implements PlayClient {
  status: 'open' | 'reconnecting' = 'open'
  readonly user = null
  readonly clock: Pick<PlayClient['clock'], 'rttMs' | 'lastRttMs' | 'jitterMs'>
  /** Frames sent and received, for who counts. */
  sent = 0
  snapshots = 0
  readonly #time: VirtualTime
  readonly #server: { open: () => unknown; receive: (bytes: Uint8Array) => void }
  readonly #handlers: Handlers = {}
  readonly #link: Link
  #up: Lane
  #down: Lane
  #epoch = 0
  #listener: AnyListener | null = null
  #joined = false

  constructor(time: VirtualTime, link: Link, server: { open: () => unknown; receive: (bytes: Uint8Array) => void }) {
    this.#time = time
    this.#server = server
    this.#link = link
    this.#up = new Lane(time, link)
    this.#down = new Lane(time, link)
    const rttMs = 2 * link.latencyMs + link.jitterMs
    this.clock = { rttMs, lastRttMs: rttMs, jitterMs: link.jitterMs / 2 }
  }

  on<Name extends keyof ClientEvents>(name: Name, listener: (value: ClientEvents[Name]) => void): () => void {
    const known: Handlers[Name] = this.#handlers[name]
    const listeners = known ?? new Set<(value: ClientEvents[Name]) => void>()
    this.#handlers[name] = listeners as Handlers[Name]
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  /** Tells of something that happened to the client. */
  tell<Name extends keyof ClientEvents>(name: Name, value: ClientEvents[Name]): void {
    for (const handler of this.#handlers[name] ?? []) handler(value)
  }

  async request(): Promise<unknown> {
    throw new Error('tests name their seats')
  }

  subscribe(_type: string, _input: unknown, listener: AnyListener): () => void {
    this.#listener = listener
    this.#joined = false
    this.#open()
    return () => {
      if (this.#listener === listener) this.#listener = null
    }
  }

  beLive(): () => void {
    return () => {}
  }

  sendFrame(frame: Uint8Array<ArrayBuffer>): boolean {
    if (this.status !== 'open') return false
    this.sent++
    const epoch = this.#epoch
    this.#up.send(() => {
      // What was on its way when the connection broke is lost.
      if (epoch === this.#epoch) this.#server.receive(frame)
    })
    return true
  }

  deliver(frame: Uint8Array<ArrayBuffer>): void {
    if (!this.#joined) return
    const epoch = this.#epoch
    this.#down.send(() => {
      if (epoch !== this.#epoch) return
      for (const handler of this.#handlers.frame ?? []) handler(frame.buffer)
    })
  }

  /** The connection breaks, and is back after `ms`. */
  cut(ms: number): void {
    if (this.status !== 'open') return
    this.#epoch++
    this.#joined = false
    this.status = 'reconnecting'
    for (const handler of this.#handlers.status ?? []) handler('reconnecting')
    this.#time.at(this.#time.now + ms, () => {
      this.#up = new Lane(this.#time, this.#link)
      this.#down = new Lane(this.#time, this.#link)
      this.status = 'open'
      for (const handler of this.#handlers.status ?? []) handler('open')
      this.#open()
    })
  }

  #open(): void {
    const epoch = this.#epoch
    const listener = this.#listener
    this.#up.send(() => {
      if (epoch !== this.#epoch || listener !== this.#listener) return
      const snapshot = this.#server.open()
      this.#joined = true
      this.#down.send(() => {
        if (epoch !== this.#epoch || listener !== this.#listener) return
        this.snapshots++
        listener?.next(snapshot, { kind: 'snapshot', seq: 0 })
      })
    })
  }
}
