/** What a frame of a live match can name. A test compares these with the protocol's. */
export const MAX_SEATS = 16
export const MAX_TABLE_INPUTS = 16

/** What is wrong with a value, in the form of zod. */
export interface SchemaError extends Error {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
}

/** What a game needs of a zod schema. Its own type, so that rules and clients are typed without zod. */
export interface Schema<Value> {
  /** @throws ZodError for what is no `Value`. */
  parse(value: unknown): Value
  safeParse(
    value: unknown,
  ): { readonly success: true; readonly data: Value } | { readonly success: false; readonly error: SchemaError }
}

/** How a game ended: the placement of each seat, where 1 is best and equal ones share, and its score. */
export interface Outcome {
  readonly placements: readonly number[]
  readonly scores: readonly number[]
}

/**
 * The placement of each seat by its score: the highest has 1, equal scores share a placement, and the one after two who share 1
 * is 3.
 */
export function placementsByScore(scores: readonly number[]): number[] {
  return scores.map((score) => 1 + scores.filter((other) => other > score).length)
}

/** The only seat with placement 1; null when several share it, as in a draw. */
export function winnerOf(placements: readonly number[]): number | null {
  const first = placements.indexOf(1)
  return first === -1 || placements.includes(1, first + 1) ? null : first
}

/**
 * The rules of a game as pure functions, run alike by the server and by browsers. `step` must be deterministic on every
 * JavaScript engine: no clock, no `Math.random` (the state carries its generator), no trigonometry, only `+ - * /`,
 * `Math.sqrt`, `min`, `max`, `floor`, `abs`, `imul` and integer operations. The state must not grow without bound. It
 * is a JSON value: plain objects, arrays, strings, booleans, null and finite numbers.
 */
export interface GameDefinition<State, Input, Options, Name extends string> {
  readonly name: Name
  /** Increase it when the same inputs give another game than before. Replays name it. Default: 1. */
  readonly version?: number
  /** 1 to 16. */
  readonly seats: number
  /** Steps a second; 0 for a turn-based game, which steps when an input comes. */
  readonly tickRate: number
  readonly options: Schema<Options>
  readonly input: Schema<Input>
  /** The state, with a description of each field, for clients that show it without the rules. */
  readonly state?: Schema<NoInfer<State>>
  /** What a seat does before its first input and after its player has gone. */
  readonly idle: NoInfer<Input>
  /** All inputs, at most 16, named by index on the wire; a new order needs a new `version`. Default: they are JSON. */
  readonly inputs?: readonly NoInfer<Input>[]
  /** The state before the first step. `seed` is an unsigned 32-bit integer. */
  init(setup: { seed: number; options: NoInfer<Options> }): State
  /**
   * Advances `state` by one tick, in place; after the outcome it changes nothing. `inputs` has one entry a seat, see
   * `HeldInputs`, and must not be kept or modified. An input that the rules do not allow now counts as `idle`.
   */
  step(state: State, inputs: readonly NoInfer<Input>[]): void
  /** Null while the game goes on. */
  outcome(state: State): Outcome | null
  clone(state: State): State
  /** Fields that a client draws smoothly between two states, each with the largest difference that is no jump. */
  readonly smooth?: Readonly<Record<string, number>>
  /** What the server-side opponent on `seat` does now. As pure as `step`. */
  bot(state: State, seat: number): Input
  /** The points of each seat so far. Without it they are 0 until the outcome says them. */
  scores?(state: State): readonly number[]
  /** The seat to move, which loses if nobody moves; null for none. Without it such a match is broken off. */
  toMove?(state: State): number | null
}

/** A game as `defineGame` makes it. */
export interface Game<State = unknown, Input = unknown, Options = unknown, Name extends string = string>
  extends GameDefinition<State, Input, Options, Name> {
  readonly version: number
  scores(state: State): readonly number[]
}

/** Any game, for code that runs them without knowing them. */
// biome-ignore lint/suspicious/noExplicitAny: a game is contravariant in its state and input, so `unknown` would fit none
export type AnyGame = Game<any, any, any>

/** The games that a server offers, each under its own name. */
export type Games = Readonly<Record<string, AnyGame>>

/** Undefined when the server does not offer a game of this name. */
export function gameOf(games: Games, name: string): AnyGame | undefined {
  return Object.hasOwn(games, name) ? games[name] : undefined
}

/** The type of a definition whose order hides the state from the compiler. Its name explains the error. */
export interface PutInitBeforeWhatTakesTheState {
  readonly why: 'the type of the state is not known where the compiler meets it first'
}

/**
 * Declares a game. The state is inferred from what `init` returns: it comes before functions that name no type for
 * their `state`. @throws RangeError for seats, a tick rate or a table of inputs that no match can have.
 */
export function defineGame<
  // biome-ignore lint/suspicious/noExplicitAny: so that a definition with another mistake is told of that mistake alone
  State = any,
  const Input = unknown,
  Options = unknown,
  const Name extends string = string,
>(
  definition: GameDefinition<State, Input, Options, Name>,
): 0 extends 1 & State ? PutInitBeforeWhatTakesTheState : Game<State, Input, Options, Name>
export function defineGame<State, Input, Options, Name extends string>(
  definition: GameDefinition<State, Input, Options, Name>,
): Game<State, Input, Options, Name> | PutInitBeforeWhatTakesTheState {
  const { name, seats, tickRate, inputs } = definition
  if (!Number.isInteger(seats) || seats < 1 || seats > MAX_SEATS) {
    throw new RangeError(`${name} has ${seats} seats: a game has 1 to ${MAX_SEATS}`)
  }
  if (!Number.isFinite(tickRate) || tickRate < 0) {
    throw new RangeError(`${name} has a tick rate of ${tickRate}: steps a second, or 0 for a game in turns`)
  }
  if (inputs && inputs.length > MAX_TABLE_INPUTS) {
    throw new RangeError(
      `${name} has a table of ${inputs.length} inputs: it may have ${MAX_TABLE_INPUTS}; without a table they travel as JSON`,
    )
  }
  const none = Object.freeze(new Array<number>(seats).fill(0))
  const scores = (state: State) => definition.outcome(state)?.scores ?? none
  return { version: 1, scores, ...definition }
}
