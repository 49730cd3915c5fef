import { indexOfInput } from '../../games/input-table.ts'
import { inputEid } from '../../protocol/input-eid.ts'
import {
  decodeLiveFrame,
  encodeInput,
  encodeJsonInput,
  type LiveBinaryFrame,
  type LiveEndStatus,
  resolveTick,
  streamOf,
} from '../../protocol/live-frames.ts'
import { RallyError } from '../errors.ts'
import { Emitter } from '../event-emitter.ts'
import type { Correction, Course, CourseListener } from './course.ts'
import { createCourse } from './create-course.ts'
import { Meter, type PlayFigures } from './figures.ts'
import { onLeaving } from './leaving.ts'
import { OwnInputs } from './own-inputs.ts'
import { ownSeats } from './own-seats.ts'
import { readInput, readSnapshot, type Snapshot } from './snapshot.ts'
import type { Play, PlayableGame, PlayClient, PlayEvents, PlayOptions, PlayStatus, PlayWire } from './types.ts'

/** Waits before a snapshot that heals, by how many were needed in a row. */
const HEAL_MS = [0, 250, 1_000, 4_000]

/** Follows one match: its stream, its frames, its inputs. What the game is at any moment is its course's affair. */
export class Session<State, Input, Options> implements Play<State, Input> {
  readonly #client: PlayClient & PlayWire
  readonly #matchId: string
  readonly #game: PlayableGame<State, Input, Options>
  readonly #options: PlayOptions<State>
  readonly #now: () => number
  readonly #emitter = new Emitter<PlayEvents<State>>()
  readonly #stops: (() => void)[] = []
  /** Who wants to know of states, which are drawn for nobody else. */
  readonly #watchers = new Set<() => void>()
  readonly #own: OwnInputs<Input>
  readonly #meter = new Meter()
  readonly #listener: CourseListener = {
    corrected: (correction) => this.#corrected(correction),
    settled: (tick, hash, expected) => this.#settled(tick, hash, expected),
  }
  /** Null while unknown. */
  #seats: readonly number[] | null = null
  #status: PlayStatus = 'connecting'
  #course: Course<State, Input> | null = null
  /** The number of the match in frames; null while frames mean nothing. */
  #stream: number | null = null
  #moved = true
  #leave: (() => void) | null = null
  #stopBeingLive: (() => void) | null = null
  #heals = 0
  #healTimer: ReturnType<typeof setTimeout> | undefined

  constructor(
    client: PlayClient & PlayWire,
    matchId: string,
    game: PlayableGame<State, Input, Options>,
    options: PlayOptions<State>,
  ) {
    this.#client = client
    this.#matchId = matchId
    this.#game = game
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#own = new OwnInputs<Input>(game.idle, (seat, input) => this.#send(seat, input, this.#now()))
    const { signal } = options
    const stop = () => this.stop()
    signal?.addEventListener('abort', stop)
    this.#stops.push(
      () => signal?.removeEventListener('abort', stop),
      client.on('frame', (frame) => this.#receive(new Uint8Array(frame))),
      client.on('error', (error) => this.#refused(error)),
      onLeaving(() => this.#own.letGo()),
      client.on('status', (status) => {
        if (status !== 'open') this.#disconnect()
      }),
    )
    if (signal?.aborted) this.stop()
    else void this.#start()
  }

  get status(): PlayStatus {
    return this.#status
  }

  get seats(): readonly number[] {
    return this.#seats ?? []
  }

  get state(): State | null {
    return this.frame()
  }

  get confirmed(): { readonly tick: number; readonly state: State } | null {
    return this.#course?.confirmed ?? null
  }

  get figures(): PlayFigures {
    const now = this.#now()
    const { rttMs, jitterMs } = this.#client.clock
    const course = this.#course?.figures(now) ?? { rttMs, jitterMs, ticksAhead: 0, statesKept: 0 }
    return this.#meter.figures(course, now)
  }

  frame(now = this.#now()): State | null {
    if (!this.#course) return null
    const state = this.#course.draw(now)
    this.#say()
    return state
  }

  input(input: Input, seat = this.seats.length === 1 ? this.seats[0] : undefined): boolean {
    if (seat === undefined || this.#status === 'closed') return false
    // What the server would refuse would be predicted, taken back and said again for ever.
    if (this.#seats?.includes(seat) === false) return false
    const isTurn = this.#game.tickRate === 0
    if (!isTurn && this.#own.wants(seat, input)) return false
    const parsed = this.#game.input.safeParse(input)
    if (!parsed.success) throw new RallyError('VALIDATION_FAILED', `No input of ${this.#game.name}`)
    if (!isTurn) this.#own.want(seat, parsed.data)
    return this.#send(seat, parsed.data, this.#now())
  }

  on<Name extends keyof PlayEvents<State>>(name: Name, listener: (value: PlayEvents<State>[Name]) => void): () => void {
    const stop = this.#emitter.on(name, listener)
    if (name !== 'state') return stop
    this.#watchers.add(stop)
    return () => {
      this.#watchers.delete(stop)
      stop()
    }
  }

  stop(): void {
    if (this.#status === 'closed') return
    this.#own.letGo()
    clearTimeout(this.#healTimer)
    this.#own.stop()
    this.#leave?.()
    this.#leave = null
    this.#stream = null
    for (const stop of this.#stops) stop()
    this.#setStatus('closed')
    this.#emitter.clear()
    this.#watchers.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
  }

  async #start(): Promise<void> {
    try {
      this.#seats = this.#options.seats ?? (await ownSeats(this.#client, this.#matchId))
      this.#own.keepOnly(this.#seats)
    } catch (error) {
      if (this.#status !== 'closed') this.#fail(error)
      return
    }
    if (this.#status !== 'closed') this.#subscribe()
  }

  #subscribe(): void {
    this.#stream = null
    this.#leave?.()
    // Frames are no events, so the client takes a snapshot for new that is not: no two openings share one.
    const view = Math.floor(Math.random() * 2 ** 32)
    this.#leave = this.#client.subscribe(
      'live.onState',
      { matchId: this.#matchId, mode: 'inputs', view },
      {
        next: (value) => this.#load(value),
        error: (error) => this.#fail(error),
        end: (reason) => this.#closed(reason),
      },
    )
  }

  #load(value: unknown): void {
    const now = this.#now()
    let snapshot: Snapshot<State, Input>
    try {
      snapshot = readSnapshot(this.#game, value)
      if (this.#course) this.#course.load(snapshot, this.#moved, now)
      else {
        const how = { ...this.#options, isPlayer: this.seats.length > 0, clock: this.#client.clock }
        this.#course = createCourse(this.#game, snapshot, how, this.#listener, now)
      }
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#stream = snapshot.stream
    this.#setStatus(snapshot.status)
    if (this.#moved) this.#own.sayAgain()
    this.#moved = false
    this.#say()
    this.#emitState(now)
    if (snapshot.status === 'finished' || snapshot.status === 'aborted') this.#emitEnd(snapshot.status)
  }

  #receive(bytes: Uint8Array): void {
    const course = this.#course
    if (!course || this.#stream === null || streamOf(bytes) !== this.#stream) return
    const frame = decodeLiveFrame(bytes)
    const now = this.#now()
    this.#meter.received(bytes.length, now)
    try {
      if (!frame) throw new RangeError('not a frame')
      this.#take(course, frame, now)
    } catch {
      // Frames that do not fit what was said before: only the server knows how the match stands.
      this.#heal()
      return
    }
    this.#say()
  }

  #take(course: Course<State, Input>, frame: LiveBinaryFrame, now: number): void {
    switch (frame.kind) {
      case 'input':
      case 'json': {
        const { seat, moved } = frame
        const tick = resolveTick(frame.tickByte, course.nearTick)
        const input = frame.kind === 'json' ? readInput(this.#game, frame.input) : this.#game.inputs?.[frame.index]
        if (input === undefined) throw new RangeError('no such input')
        this.#own.decided(seat, input, course.decide({ tick, seat, input, moved }, now))
        break
      }
      case 'keyframe':
        course.keyframe(frame.tick, frame.hash, now)
        if (this.#status === 'waiting') this.#setStatus('live')
        return
      case 'end':
        course.end(frame.tick, now)
        this.#finish(frame.status, now)
        return
    }
    if (this.#status === 'waiting') this.#setStatus('live')
    this.#emitState(now)
  }

  #finish(status: LiveEndStatus, now: number): void {
    this.#stream = null
    this.#setStatus(status)
    this.#emitState(now)
    this.#emitEnd(status)
  }

  #emitEnd(status: LiveEndStatus): void {
    const confirmed = this.#course?.confirmed
    if (!confirmed) return
    const { tick, state } = confirmed
    this.#emitter.emit('end', { status, tick, state, outcome: this.#game.outcome(state) })
  }

  #emitState(now: number): void {
    if (this.#course && this.#watchers.size > 0) this.#emitter.emit('state', this.#course.draw(now))
  }

  /** Sends an own input and predicts it; false if neither could be done. */
  #send(seat: number, input: Input, now: number): boolean {
    if (this.#stream === null || this.#status !== 'live' || !this.#course) return false
    // A turn is not sent before it is known to be one, a held input not predicted before it is sent.
    const tick = this.#course.predict(seat, input, now)
    if (tick === null) return false
    const index = indexOfInput(this.#game, input)
    const frame =
      index >= 0 ? encodeInput(this.#stream, tick, seat, index) : encodeJsonInput(this.#stream, tick, seat, input)
    if (this.#client.sendFrame(frame)) this.#meter.sent(frame.length, now)
    this.#emitState(now)
    return true
  }

  #say(): void {
    const course = this.#course
    if (this.#stream === null || this.#status !== 'live' || !course) return
    this.#own.say((seat, input) => course.isHeld(seat, input))
  }

  #refused({ type, eid, temporary, retryAfterMs }: RallyError): void {
    const stream = this.#stream
    if (type !== 'live.input' || stream === null) return
    const seat = this.seats.find((own) => eid === inputEid(stream, own))
    if (seat !== undefined) this.#own.refused(seat, temporary, retryAfterMs)
  }

  #corrected(correction: Correction): void {
    this.#meter.corrected(correction, this.#now())
    this.#emitter.emit('correction', correction)
  }

  #settled(tick: number, hash: number, expected: number | null): void {
    const confirmed = this.#course?.confirmed
    if (expected !== null && hash !== expected) {
      this.#meter.desynced()
      this.#emitter.emit('desync', { tick, hash, expected })
      this.#heal()
      return
    }
    this.#heals = 0
    if (confirmed) this.#emitter.emit('confirmed', { tick, hash, state: confirmed.state })
  }

  /** One new snapshot, and patience if that does not help. */
  #heal(): void {
    if (this.#status === 'closed') return
    this.#stream = null
    clearTimeout(this.#healTimer)
    const waitMs = HEAL_MS[Math.min(this.#heals++, HEAL_MS.length - 1)] ?? 0
    // Not from within a frame.
    this.#healTimer = setTimeout(() => this.#subscribe(), waitMs)
  }

  #disconnect(): void {
    this.#stream = null
    this.#moved = true
    if (this.#status === 'waiting' || this.#status === 'live') this.#setStatus('connecting')
  }

  #closed(reason: string): void {
    this.#stream = null
    if (reason === 'closed') this.stop()
    else if (reason === 'aborted' || reason === 'finished') {
      if (this.#status === reason) return
      this.#setStatus(reason)
      this.#emitEnd(reason)
    } else this.#heal()
  }

  #fail(error: unknown): void {
    const failure =
      error instanceof RallyError ? error : new RallyError('BAD_SNAPSHOT', 'What the server sent makes no sense')
    this.#stream = null
    this.#emitter.emit('error', failure)
    this.stop()
  }

  #setStatus(status: PlayStatus): void {
    if (this.#status === status) return
    this.#status = status
    this.#stopBeingLive?.()
    this.#stopBeingLive = status === 'live' ? this.#client.beLive() : null
    this.#emitter.emit('status', status)
  }
}
