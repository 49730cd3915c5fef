import type { Game } from '../../games/game.ts'
import type { InputChange } from '../../games/simulate.ts'
import { RallyError } from '../errors.ts'
import type { Start } from './rollback.ts'

export type MatchPhase = 'waiting' | 'live' | 'finished' | 'aborted'

/** What the server says first: a final state and all that has been decided since. */
export interface Snapshot<State, Input> extends Start<State, Input> {
  readonly status: MatchPhase
  /** Names the match in binary frames; null when none will come. */
  readonly stream: number | null
  /** Steps that the server had done when it answered. */
  readonly now: number
  /** The keyframe of tick t is sent at tick t + `rewindTicks`. */
  readonly rewindTicks: number
  /** A draw, a win or nothing yet is in the state; the options are for whoever shows them. */
  readonly options: unknown
}

/**
 * Reads the snapshot of `live.onState` in mode `inputs`. Throws a RallyError: `WRONG_GAME` if it is not of this game or
 * of other rules, `BAD_SNAPSHOT` if it is none.
 */
export function readSnapshot<State, Input>(
  game: Pick<Game<never, Input, never>, 'name' | 'version' | 'input' | 'idle'>,
  value: unknown,
): Snapshot<State, Input> {
  if (!isRecord(value)) throw bad('no object')
  const { tick, now, stream, rewindTicks, status, inputs, changes, rulesVersion } = value
  if (value.game !== game.name || rulesVersion !== game.version) {
    throw new RallyError('WRONG_GAME', `The match is ${value.game} ${rulesVersion}, not ${game.name} ${game.version}`)
  }
  if (!isCount(tick) || !isCount(now) || !isCount(rewindTicks)) throw bad('ticks')
  if (stream !== null && !isCount(stream)) throw bad('stream')
  if (!isPhase(status)) throw bad('status')
  if (!Array.isArray(inputs) || !Array.isArray(changes)) throw bad('inputs')
  return {
    tick,
    now,
    stream,
    rewindTicks,
    status,
    options: value.options,
    // A state has no schema: it is the server's own, of the same rules, and its hash is compared every second.
    state: value.state as State,
    inputs: inputs.map((input) => readInput(game, input)),
    changes: changes.map((change) => readChange(game, change)),
  }
}

/** An input off the wire. Throws a RallyError for what the game does not know. */
export function readInput<Input>(game: Pick<Game<never, Input, never>, 'input' | 'idle'>, value: unknown): Input {
  const parsed = game.input.safeParse(value)
  if (!parsed.success) throw bad('input')
  return parsed.data
}

function readChange<Input>(
  game: Pick<Game<never, Input, never>, 'input' | 'idle'>,
  value: unknown,
): InputChange<Input> {
  if (!Array.isArray(value)) throw bad('change')
  const [tick, seat, input]: readonly unknown[] = value
  if (!isCount(tick) || !isCount(seat)) throw bad('change')
  return { tick, seat, input: readInput(game, input) }
}

function bad(what: string): RallyError {
  return new RallyError('BAD_SNAPSHOT', `Not a snapshot of a match: ${what}`)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isPhase(value: unknown): value is MatchPhase {
  return value === 'waiting' || value === 'live' || value === 'finished' || value === 'aborted'
}
