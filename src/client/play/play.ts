import { type LiveBinaryFrame, type LiveEndStatus, resolveTick } from '../../protocol/live-frames.ts'
import { RallyError } from '../errors.ts'
import { EventEmitter } from '../event-emitter.ts'
import type { Course, CourseListener } from './course.ts'
import { MatchStream, readInput, type Snapshot } from './match-stream.ts'
import { OwnInputs, onPageLeave, ownSeats } from './own-inputs.ts'
import { PlayStatistics } from './statistics.ts'
import { TimedCourse } from './timed-course.ts'
import { TurnCourse } from './turn-course.ts'
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

/**
 * Plays or watches a match by the rules of the server. Own inputs show at once, and what the server decides counts.
 * Draw `play.state` as often as you like: nothing is computed in between.
 */
export function play<State, Input, Options>(
  rally: PlayClient,
  matchId: string,
  game: PlayableGame<State, Input, Options>,
  options: PlayOptions<State> = {},
): Play<State, Input> {
  if (!isWired(rally)) throw new TypeError('play() needs a client made by createClient()')
  return new Session(rally, matchId, game, options)
}

/** Every client has these, though its public type does not show them. */
function isWired(rally: object): rally is PlayWire {
  return ['subscribe', 'request', 'sendFrame', 'beLive'].every((name) => typeof Reflect.get(rally, name) === 'function')
}

/** What comes by the stream of a match goes to its course, which knows the states. */
class Session<State, Input, Options> implements Play<State, Input> {
  readonly #client: PlayClient & PlayWire
  readonly #game: PlayableGame<State, Input, Options>
  readonly #options: PlayOptions<State>
  readonly #now: () => number
  readonly #emitter = new EventEmitter<PlayEvents<State>>()
  readonly #stops: (() => void)[] = []
  readonly #own: OwnInputs<Input>
  readonly #stream: MatchStream<State, Input>
  readonly #statistics = new PlayStatistics()
  readonly #listener: CourseListener = {
    corrected: (correction) => {
      this.#statistics.corrected(correction, this.#now())
      this.#emitter.emit('correction', correction)
    },
    settled: (tick, hash, expected) => {
      if (expected !== null && hash !== expected) {
        this.#statistics.desyncs++
        this.#emitter.emit('desync', { tick, hash, expected })
        this.#stream.reopen()
        return
      }
      this.#stream.confirm()
      if (this.#course) this.#emitter.emit('confirmed', { tick, hash, state: this.#course.confirmed.state })
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
  ) {
    this.#client = client
    this.#game = game
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
    return this.#emitter.on(name, listener)
  }

  stop(): void {
    if (this.#status === 'closed') return
    this.#own.releaseAll()
    this.#own.stop()
    this.#stream.stop()
    for (const stop of this.#stops) stop()
    this.#setStatus('closed')
    this.#emitter.clear()
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
    else this.#course = this.#createCourse(snapshot, now)
    this.#setStatus(snapshot.status)
    if (this.#moved) this.#own.resend()
    this.#moved = false
    this.#sendMissing()
    this.#emitState(now)
    if (snapshot.status === 'finished' || snapshot.status === 'aborted') this.#emitEnd(snapshot.status)
  }

  #createCourse(snapshot: Snapshot<State, Input>, now: number): Course<State, Input> {
    const { clock } = this.#client
    if (this.#game.tickRate === 0) return new TurnCourse(this.#game, snapshot, clock, this.#listener)
    const isPlayer = this.seats.length > 0
    return new TimedCourse(this.#game, snapshot, { ...this.#options, isPlayer, clock }, this.#listener, now)
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
    if (!this.#course) return
    const { tick, state } = this.#course.confirmed
    this.#emitter.emit('end', { status, tick, state, outcome: this.#game.outcome(state) })
  }

  #emitState(now: number): void {
    // Nothing is drawn without a listener.
    if (this.#course && this.#emitter.has('state')) this.#emitter.emit('state', this.#course.draw(now))
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
