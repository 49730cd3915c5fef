import { useEffect, useState } from 'react'
import type { RallyError } from '../../../src/client/index.ts'
import type { LiveFrame } from '../../../src/modules/live/types.ts'
import type { Match } from '../../../src/modules/matches/types.ts'
import { type Rally, useRally } from '../rally.ts'
import type { GameSource, SourceRules } from './game-source.ts'
import { Playout } from './playout.ts'

/** Frames a second asked of the server. */
const RATE = 60

/** A live match as the server's frames tell it: mode `state`, drawn between the last frames, inputs sent on change. */
export class LiveSource<State, Input> implements GameSource<State, Input> {
  readonly #rally: Rally
  readonly #matchId: Match['id']
  readonly #rules: SourceRules<State, Input>
  readonly #playout: Playout<State>
  readonly #listeners = new Set<() => void>()
  /** What each seat of this page does, as it was said last. */
  readonly #held = new Map<number, Input>()
  #isLive = false

  constructor(rally: Rally, matchId: Match['id'], rules: SourceRules<State, Input>) {
    this.#rally = rally
    this.#matchId = matchId
    this.#rules = rules
    this.#playout = new Playout(rules.tickRate)
  }

  get latest(): State | null {
    return this.#playout.newest?.state ?? null
  }

  state(now: number): State | null {
    const drawn = this.#playout.at(now)
    if (!drawn) return null
    return drawn.part >= 1 ? drawn.to : this.#rules.blend(drawn.from, drawn.to, drawn.part)
  }

  input(seat: number, input: Input): void {
    const { idle, isSame, tickRate } = this.#rules
    if (tickRate > 0) {
      if (isSame(this.#held.get(seat) ?? idle, input)) return
      this.#held.set(seat, input)
    }
    if (this.#isLive) this.#send(seat, input)
  }

  // Bound, because React is handed it by itself.
  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Whether the server takes inputs now. What was held before is said as soon as it does. */
  setLive(isLive: boolean): void {
    if (this.#isLive === isLive) return
    this.#isLive = isLive
    this.#sendHeld()
  }

  /** Starts following the match. Answers how to stop. */
  open(onError: (error: RallyError) => void): () => void {
    const close = this.#rally.live.onState(
      { matchId: this.#matchId, mode: 'state', rate: RATE },
      { next: (frame) => this.#take(frame), error: onError },
    )
    const stopStatus = this.#rally.on('status', (status) => {
      // The server lets go of the keys of who was away; what is still held has to be said again.
      if (status === 'open') this.#sendHeld()
    })
    return () => {
      stopStatus()
      close()
    }
  }

  #take({ tick, state }: LiveFrame): void {
    const read = this.#rules.read(state)
    if (read === null) return
    this.#playout.push(tick, read, performance.now())
    for (const listener of this.#listeners) listener()
  }

  #sendHeld(): void {
    if (!this.#isLive) return
    for (const [seat, input] of this.#held) if (!this.#rules.isSame(input, this.#rules.idle)) this.#send(seat, input)
  }

  #send(seat: number, input: Input): void {
    // Sent once or dropped; an error comes as the client's `error` event, and the next frame shows the truth anyway.
    void this.#rally.live.input({ matchId: this.#matchId, seat, input })
  }
}

/**
 * The source of a match's states, opened once it is `active`. It stays what it is after the end, for the last state.
 * `rules` must always be the same object.
 */
export function useLiveSource<State, Input>(
  match: Match,
  rules: SourceRules<State, Input>,
  active: boolean,
): { source: GameSource<State, Input>; error: RallyError | null } {
  const rally = useRally()
  const [source] = useState(() => new LiveSource(rally, match.id, rules))
  const [error, setError] = useState<RallyError | null>(null)
  const isLive = match.status === 'live'
  useEffect(() => source.setLive(isLive), [source, isLive])
  useEffect(() => {
    if (!active) return
    setError(null)
    return source.open(setError)
  }, [source, active])
  return { source, error }
}
