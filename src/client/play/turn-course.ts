import { hashState } from '../../games/hash.ts'
import { isSameInput } from '../../games/simulate.ts'
import type { Course, CourseFigures, CourseListener } from './course.ts'
import type { Snapshot } from './match-stream.ts'
import type { Decision, Rules } from './rollback.ts'
import type { PlayClient } from './types.ts'

interface Turn<Input> {
  readonly seat: number
  readonly input: Input
  readonly sentAt: number
}

/** The server refused an own turn that has no answer after this and three round trips. */
const ANSWER_MS = 1_000
const MAX_PENDING = 16

/** A game in turns: an input is a step. An own turn is shown at once if the rules take it, and taken back if the server refuses it. */
export class TurnCourse<State, Input> implements Course<State, Input> {
  readonly #game: Rules<State, Input>
  readonly #listener: CourseListener
  readonly #clock: PlayClient['clock']
  #state: State
  #tick = 0
  #isLive = false
  /** The state after the pending turns. */
  #shown: State
  #pending: Turn<Input>[] = []

  constructor(
    game: Rules<State, Input>,
    snapshot: Snapshot<State, Input>,
    clock: PlayClient['clock'],
    listener: CourseListener,
  ) {
    this.#game = game
    this.#listener = listener
    this.#clock = clock
    this.#state = this.#shown = snapshot.state
    this.load(snapshot)
  }

  get confirmed(): { readonly tick: number; readonly state: State } {
    return { tick: this.#tick, state: this.#state }
  }

  get nearTick(): number {
    return this.#tick
  }

  load(snapshot: Snapshot<State, Input>): void {
    this.#state = this.#game.clone(snapshot.state)
    this.#tick = snapshot.tick
    this.#isLive = snapshot.status === 'live'
    // The snapshot shows whether they arrived. To send them again could do a turn twice.
    this.#pending = []
    for (const { seat, input } of snapshot.changes) this.#apply(this.#state, seat, input)
    this.#tick += snapshot.changes.length
    this.#show()
  }

  decide({ tick, seat, input }: Decision<Input>): boolean {
    if (tick !== this.#tick) throw new RangeError(`turn ${tick} comes after ${this.#tick}`)
    this.#isLive = true
    this.#apply(this.#state, seat, input)
    this.#tick++
    const own = this.#pending.findIndex((turn) => turn.seat === seat && isSameInput(turn.input, input))
    this.#pending.splice(0, own + 1)
    this.#show()
    return own >= 0
  }

  keyframe(tick: number, hash: number): void {
    this.#isLive = true
    if (tick !== this.#tick) throw new RangeError(`the state of turn ${tick} comes after ${this.#tick}`)
    this.#listener.settled(tick, hashState(this.#state), hash)
  }

  end(tick: number): void {
    if (tick !== this.#tick) throw new RangeError(`the end at turn ${tick} comes after ${this.#tick}`)
    this.#isLive = false
    this.#pending = []
    this.#show()
    this.#listener.settled(tick, hashState(this.#state), null)
  }

  predict(seat: number, input: Input, now: number): number | null {
    if (!this.#isLive || this.#pending.length >= MAX_PENDING) return null
    const shown = this.#tried(this.#shown, seat, input)
    if (!shown) return null
    this.#shown = shown
    this.#pending.push({ seat, input, sentAt: now })
    return this.#tick
  }

  /** A turn is not held. */
  isHeld(): boolean {
    return true
  }

  draw(now: number): State {
    const deadline = now - ANSWER_MS - 3 * this.#clock.rttMs
    if ((this.#pending[0]?.sentAt ?? now) < deadline) {
      this.#pending = this.#pending.filter(({ sentAt }) => sentAt >= deadline)
      this.#show()
      this.#listener.corrected({ depth: 1, distance: 0 })
    }
    return this.#game.clone(this.#shown)
  }

  figures(): CourseFigures {
    return { rttMs: this.#clock.rttMs, jitterMs: 0, ticksAhead: this.#pending.length, rewindTicks: 0, statesKept: 2 }
  }

  /** Does the pending turns after the state, and drops those that the rules no longer take. */
  #show(): void {
    const before = this.#pending.length
    this.#shown = this.#state
    this.#pending = this.#pending.filter(({ seat, input }) => {
      const shown = this.#tried(this.#shown, seat, input)
      if (shown) this.#shown = shown
      return shown !== null
    })
    const dropped = before - this.#pending.length
    if (dropped > 0) this.#listener.corrected({ depth: dropped, distance: 0 })
  }

  /** The state after a turn; null if the rules ignore it. */
  #tried(state: State, seat: number, input: Input): State | null {
    const after = this.#game.clone(state)
    this.#apply(after, seat, input)
    return hashState(after) === hashState(state) ? null : after
  }

  #apply(state: State, seat: number, input: Input): void {
    const inputs = Array.from({ length: this.#game.seats }, (_, at) => (at === seat ? input : this.#game.idle))
    this.#game.step(state, inputs)
  }
}
