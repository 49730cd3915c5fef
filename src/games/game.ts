import type { z } from 'zod'

/** How a game ended. `winnerSeat` is null for a draw; `scores` has one number a seat. */
export interface Outcome {
  readonly winnerSeat: number | null
  readonly scores: readonly number[]
}

/**
 * The rules of a game as pure functions, run alike by the server and by browsers.
 *
 * `step` must be deterministic on every JavaScript engine: no clock, no `Math.random` (the state carries its
 * generator), no trigonometry, exponentials or `**`; only `+ - * /`, `Math.sqrt`, `min`, `max`, `floor`, `abs`,
 * `imul` and integer operations. It must not let the state grow without bound. A state is a JSON value: plain objects,
 * arrays, strings, booleans, null and finite numbers.
 */
export interface Game<State = unknown, Input = unknown, Options = unknown> {
  readonly name: string
  /** Grows when the same inputs would no longer give the same game. Replays name it. */
  readonly version: number
  readonly seats: number
  /** Steps a second; 0 for a turn-based game, which steps when an input comes. */
  readonly tickRate: number
  readonly options: z.ZodType<Options>
  readonly input: z.ZodType<Input>
  /** What a seat does while nothing is heard of it. */
  readonly idle: Input
  /**
   * Every input there is, where they are 16 at most: its place here is what goes over the wire. The order belongs to
   * the rules, so a change of it is a new `version`. Without it inputs travel as JSON.
   */
  readonly inputs?: readonly Input[]
  /** The state before the first step. `seed` is an unsigned 32-bit integer. */
  init(setup: { seed: number; options: Options }): State
  /**
   * Advances `state` by one tick, in place. `inputs` has one entry a seat, in the seats' order; what a seat holds when
   * is said at `HeldInputs`. An input that the rules do not allow now counts as `idle`. Once the game has an outcome,
   * a step changes nothing. Must not keep or modify `inputs`.
   */
  step(state: State, inputs: readonly Input[]): void
  /** Null while the game goes on. */
  outcome(state: State): Outcome | null
  clone(state: State): State
  /**
   * Fields of the state that are positions, each with the largest difference that is movement and no jump: what a
   * client draws smoothly between two states.
   */
  readonly smooth?: Readonly<Record<string, number>>
  /** What the server-side opponent on `seat` does now. As pure as `step`. */
  bot(state: State, seat: number): Input
  /** The points of each seat so far. */
  scores(state: State): readonly number[]
}

/** Any game, for code that runs them without knowing them. */
// biome-ignore lint/suspicious/noExplicitAny: a game is contravariant in its state and input, so `unknown` would fit none
export type AnyGame = Game<any, any, any>

/** Declares a game; infers its types from the literal. */
export function defineGame<State, Input, Options>(game: Game<State, Input, Options>): Game<State, Input, Options> {
  return game
}
