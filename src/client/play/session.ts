import { type LiveBinaryFrame, type LiveEndStatus, resolveTick } from '../../protocol/live-frames.ts'
import { RallyError } from '../errors.ts'
import { EventEmitter } from '../event-emitter.ts'
import type { Course, CourseListener, CreateCourse } from './course.ts'
import { MatchStream, readInput, type Snapshot } from './match-stream.ts'
import { OwnInputs, onPageLeave, ownSeats } from './own-inputs.ts'
import { PlayStatistics } from './statistics.ts'
import type {
  Play,
  PlayableGame,
  PlayClient,
  PlayEvents,
  PlayFigures,
  PlayOptions,
  PlayStatus,
  PlayWire,
} from './types.ts'

/** One match that is played or watched: what comes by its stream goes to its course, which knows the states. */
export class Session<State, Input, Options> implements Play<State, Input> {
  readonly #client: PlayClient & PlayWire
  readonly #game: PlayableGame<State, Input, Options>
  readonly #options: PlayOptions<State>
  readonly #now: () => number
  readonly #emitter = new EventEmitter<PlayEvents<State>>()
  readonly #stops: (() => void)[] = []
  /** Listeners to states: nothing is drawn without one. */
  readonly #watchers = new Set<() => void>()
  readonly #own: OwnInputs<Input>
  readonly #stream: MatchStream<State, Input>
  readonly #createCourse: CreateCourse<State, Input>
  readonly #statistics = new PlayStatistics()
  readonly #listener: CourseListener = {
    corrected: (correction) => {
      this.#statistics.corrected(correction, this.#now())
      this.#emitter.emit('correction', correction)
    },
    settled: (tick, hash, expected) => {
      const confirmed = this.#course?.confirmed
      if (expected !== null && hash !== expected) {
        this.#statistics.desynced()
        this.#emitter.emit('desync', { tick, hash, expected })
        this.#stream.reopen()
        return
      }
      this.#stream.confirm()
      if (confirmed) this.#emitter.emit('confirmed', { tick, hash, state: confirmed.state })
    },
  }
  /** Null while unknown. */
  #seats: readonly number[] | null = null
  #status: PlayStatus = 'connecting'
  #course: Course<State, Input> | null = null
  /** Whether the connection is another one than that of the last snapshot. */
  #moved = true
  #stopBeingLive: (() => void) | null = null

  constructor(
    client: PlayClient & PlayWire,
    matchId: string,
    game: PlayableGame<State, Input, Options>,
    options: PlayOptions<State>,
    createCourse: CreateCourse<State, Input>,
  ) {
    this.#client = client
    this.#game = game
    this.#createCourse = createCourse
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#own = new OwnInputs<Input>(game.idle, (seat, input) => this.#send(seat, input, this.#now()))
    this.#stream = new MatchStream<State, Input>({
      wire: client,
      matchId,
      game,
      load: (snapshot) => this.#load(snapshot),
      take: (frame) => this.#take(frame),
      onBytes: (count) => this.#statistics.received(count, this.#now()),
      onEnd: (reason) => {
        if (reason === 'closed') this.stop()
        else this.#finish(reason, this.#now())
      },
      onError: (error) => this.#fail(error),
    })
    const { signal } = options
    const stop = () => this.stop()
    signal?.addEventListener('abort', stop)
    this.#stops.push(
      () => signal?.removeEventListener('abort', stop),
      client.on('frame', (frame) => this.#stream.receive(new Uint8Array(frame))),
      client.on('error', (error) => this.#refused(error)),
      onPageLeave(() => this.#own.releaseAll()),
      client.on('status', (status) => {
        if (status !== 'open') this.#disconnect()
      }),
    )
    if (signal?.aborted) this.stop()
    else void this.#start(matchId)
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
    const course = this.#course?.figures(now) ?? { rttMs, jitterMs, ticksAhead: 0, rewindTicks: 0, statesKept: 0 }
    return this.#statistics.figures(course, now)
  }

  frame(now = this.#now()): State | null {
    if (!this.#course) return null
    const state = this.#course.draw(now)
    this.#sendMissing()
    return state
  }

  input(input: Input, seat = this.seats.length === 1 ? this.seats[0] : undefined): boolean {
    if (seat === undefined || this.#status === 'closed') return false
    // The server would refuse it, and it would be predicted, taken back and sent again for ever.
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
    this.#own.releaseAll()
    this.#own.stop()
    this.#stream.stop()
    for (const stop of this.#stops) stop()
    this.#setStatus('closed')
    this.#emitter.clear()
    this.#watchers.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
  }

  async #start(matchId: string): Promise<void> {
    try {
      this.#seats = this.#options.seats ?? (await ownSeats(this.#client, matchId))
      this.#own.keepOnly(this.#seats)
    } catch (error) {
      if (this.#status !== 'closed') this.#fail(error)
      return
    }
    if (this.#status !== 'closed') this.#stream.open()
  }

  #load(snapshot: Snapshot<State, Input>): void {
    const now = this.#now()
    if (this.#course) this.#course.load(snapshot, this.#moved, now)
    else this.#course = this.#createCourse(snapshot, this.seats.length > 0, this.#listener, now)
    this.#setStatus(snapshot.status)
    if (this.#moved) this.#own.resend()
    this.#moved = false
    this.#sendMissing()
    this.#emitState(now)
    if (snapshot.status === 'finished' || snapshot.status === 'aborted') this.#emitEnd(snapshot.status)
  }

  /** @throws RangeError or RallyError for a frame that does not fit. */
  #take(frame: LiveBinaryFrame): void {
    const now = this.#now()
    const course = this.#course
    if (!course) return
    if (frame.kind === 'end') {
      course.end(frame.tick, now)
      this.#finish(frame.status, now)
      return
    }
    if (frame.kind === 'keyframe') course.keyframe(frame.tick, frame.hash, now)
    else {
      const { seat, moved } = frame
      const tick = resolveTick(frame.tickByte, course.nearTick)
      const input = frame.kind === 'json' ? readInput(this.#game, frame.input) : this.#game.inputs?.[frame.index]
      if (input === undefined) throw new RangeError('no such input')
      this.#own.decided(seat, input, course.decide({ tick, seat, input, moved }, now))
    }
    if (this.#status === 'waiting') this.#setStatus('live')
    if (frame.kind !== 'keyframe') this.#emitState(now)
    this.#sendMissing()
  }

  #finish(status: LiveEndStatus, now: number): void {
    if (this.#status === status) return
    this.#stream.pause()
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
    if (!this.#stream.isOpen || this.#status !== 'live' || !this.#course) return false
    // Only what the rules take is sent.
    const tick = this.#course.predict(seat, input, now)
    if (tick === null) return false
    const bytes = this.#stream.send(tick, seat, input)
    if (bytes > 0) this.#statistics.sent(bytes, now)
    this.#emitState(now)
    return true
  }

  #sendMissing(): void {
    const course = this.#course
    if (!this.#stream.isOpen || this.#status !== 'live' || !course) return
    this.#own.sendMissing((seat, input) => course.isHeld(seat, input))
  }

  #refused({ type, eid, temporary, retryAfterMs }: RallyError): void {
    if (type !== 'live.input') return
    const seat = this.#stream.refusedSeat(eid, this.seats)
    if (seat !== undefined) this.#own.refused(seat, temporary, retryAfterMs)
  }

  #disconnect(): void {
    this.#stream.pause()
    this.#moved = true
    if (this.#status === 'waiting' || this.#status === 'live') this.#setStatus('connecting')
  }

  #fail(error: unknown): void {
    const failure =
      error instanceof RallyError ? error : new RallyError('BAD_SNAPSHOT', 'What the server sent makes no sense')
    this.#stream.pause()
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
