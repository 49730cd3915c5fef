import type { RawData } from 'ws'
import type { AnyGame } from '../../src/games/game.ts'
import { gameOf } from '../../src/games/game.ts'
import { hashState } from '../../src/games/hash.ts'
import { games } from '../../src/games/index.ts'
import { HeldInputs, type InputChange } from '../../src/games/simulate.ts'
import type { LiveInputsSnapshot } from '../../src/modules/live/types.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { decodeLiveFrame, encodeInput, type LiveBinaryFrame, resolveTick } from '../../src/protocol/live-frames.ts'
import { connect, Inbox, type TestClient } from '../support/client.ts'
import { matchTimes } from '../support/rally-test.ts'
import type { Player, Rally } from '../support/server.ts'

/** A socket that takes binary frames as well, for one match. */
export interface LiveClient extends AsyncDisposable {
  readonly client: TestClient
  /** Frames in the order of their arrival. */
  readonly frames: Inbox<Uint8Array>
  /** Called with each binary frame as it comes. */
  onFrame: (bytes: Uint8Array) => void
}

export async function enterLive(url: string, player?: Player): Promise<LiveClient> {
  const client = await connect(url, player ? { cookie: player.cookie } : {})
  const live: LiveClient = {
    client,
    frames: new Inbox(),
    onFrame: (bytes) => live.frames.push(bytes),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
  client.socket.removeAllListeners('message')
  client.socket.on('message', (data: RawData, isBinary: boolean) => {
    if (!Buffer.isBuffer(data)) throw new Error('a message in pieces')
    if (isBinary) live.onFrame(new Uint8Array(data))
    else client.receive(data.toString())
  })
  return live
}

/** A check of a keyframe: the hash that the server told, and that of the own simulation. */
export interface Check {
  readonly tick: number
  readonly server: number
  readonly own: number
}

/**
 * The least that a client of mode `inputs` is: takes a snapshot and frames, and has the same game. What a late input
 * changes is between the last keyframe and now, so it keeps the state there and steps from it.
 */
export class Mirror {
  readonly game: AnyGame
  readonly snapshot: LiveInputsSnapshot
  readonly checks: Check[] = []
  /** Ticks of the changes as they came. */
  readonly changedAt: number[] = []
  ended: { readonly tick: number; readonly status: string } | null = null
  /** The newest tick heard of. */
  near: number
  readonly #held: HeldInputs<unknown>
  readonly #state: unknown
  #tick: number
  #changes: InputChange[]

  constructor(snapshot: LiveInputsSnapshot) {
    const game = gameOf(games, snapshot.game)
    if (!game) throw new Error(`no such game: ${snapshot.game}`)
    this.game = game
    this.snapshot = snapshot
    this.near = snapshot.now
    this.#held = new HeldInputs<unknown>(this.game)
    snapshot.inputs.forEach((input, seat) => {
      this.#held.set(seat, input)
    })
    this.#state = this.game.clone(snapshot.state)
    this.#tick = snapshot.tick
    this.#changes = snapshot.changes.map(([tick, seat, input]) => ({ tick, seat, input }))
  }

  get state(): unknown {
    return this.#state
  }

  get hash(): number {
    return hashState(this.#state)
  }

  take(bytes: Uint8Array): LiveBinaryFrame {
    const frame = decodeLiveFrame(bytes)
    if (!frame || frame.stream !== this.snapshot.stream) throw new Error('no frame of this match')
    switch (frame.kind) {
      case 'input':
        this.#change(frame.tickByte, frame.seat, this.game.inputs?.[frame.index])
        break
      case 'json':
        this.#change(frame.tickByte, frame.seat, frame.input)
        break
      case 'keyframe':
        this.near = Math.max(this.near, frame.tick)
        this.#goTo(frame.tick)
        this.checks.push({ tick: frame.tick, server: frame.hash, own: this.hash })
        break
      case 'end':
        this.#goTo(frame.tick)
        this.ended = { tick: frame.tick, status: frame.status }
    }
    return frame
  }

  #change(tickByte: number, seat: number, input: unknown): void {
    const tick = resolveTick(tickByte, this.near)
    if (tick < this.#tick) throw new Error(`a change at ${tick}, but ${this.#tick} was final`)
    this.changedAt.push(tick)
    this.#changes.push({ tick, seat, input })
    this.near = Math.max(this.near, tick)
  }

  #goTo(tick: number): void {
    while (this.#tick < tick) {
      for (const change of this.#changes) if (change.tick === this.#tick) this.#held.set(change.seat, change.input)
      this.game.step(this.#state, this.#held.current)
      this.#held.settle()
      this.#tick++
    }
    this.#changes = this.#changes.filter((change) => change.tick >= tick)
  }
}

/** Follows a match in mode `inputs` with its own simulation. */
export async function follow(live: LiveClient, matchId: string): Promise<Mirror> {
  const early: Uint8Array[] = []
  live.onFrame = (bytes) => early.push(bytes)
  const { opening } = await live.client.subscribe<LiveInputsSnapshot>('live.onState', { matchId, mode: 'inputs' })
  if (!opening.snapshot) throw new Error('no snapshot')
  const mirror = new Mirror(opening.snapshot)
  const take = (bytes: Uint8Array) => {
    mirror.take(bytes)
    live.frames.push(bytes)
  }
  for (const bytes of early) take(bytes)
  live.onFrame = take
  return mirror
}

export function kindOf(bytes: Uint8Array): LiveBinaryFrame['kind'] | undefined {
  return decodeLiveFrame(bytes)?.kind
}

/** Waits for the last frame of the match. */
export function ended(live: LiveClient, deadlineMs = 60_000): Promise<Uint8Array> {
  return live.frames.next((bytes) => kindOf(bytes) === 'end', deadlineMs)
}

export function sendInput(live: LiveClient, mirror: Mirror, tick: number, seat: number, index: number): void {
  live.client.send(encodeInput(mirror.snapshot.stream ?? 0, tick, seat, index))
}

/** Opens a match of one user on every seat; it begins by itself. */
export function createLocal(live: LiveClient, game: string, options: Record<string, unknown> = {}): Promise<Match> {
  return live.client.call<Match>('matches.create', { game, mode: 'local', options })
}

/** Waits until the match is live; gives how far it is. */
export async function whenLive(rally: Rally, live: LiveClient, matchId: string): Promise<() => number> {
  const { opening, events } = await live.client.subscribe<Match>('matches.onUpdate', { matchId })
  if (opening.snapshot?.status === 'waiting') await events.next(({ data }) => data.status === 'live')
  return () => rally.app.platform.engine.get(matchId)?.tick ?? -1
}

/** Settings under which a match begins at once. */
export const quickStart = { matches: matchTimes({ countdownMs: 200, comeBackMs: 30_000, maxActive: 100 }) }
