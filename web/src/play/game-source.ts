/**
 * Where a view has a game from, and where its inputs go. The view neither knows nor cares whether the state is
 * the server's last frame, something between two frames, or predicted here.
 */
export interface GameSource<State, Input> {
  /** What to draw at `now` (`performance.now()`); null until there is something. */
  state(now: number): State | null
  /** The newest state as it is known, for what is not drawn on every frame; null until there is one. */
  readonly latest: State | null
  /** What a seat does from now on, or in a turn-based game once. To say the same again costs nothing. */
  input(seat: number, input: Input): void
  /** Calls back whenever `latest` has changed. Answers how to stop that. */
  readonly onChange: (listener: () => void) => () => void
}

/** What a source has to know of a game. */
export interface SourceRules<State, Input> {
  /** Steps a second; 0 for a turn-based game. */
  readonly tickRate: number
  readonly idle: Input
  /** The state out of a frame; null if it is none of this game. */
  read(value: unknown): State | null
  /** The state between two; `part` is 0 at `from` and 1 at `to`. */
  blend(from: State, to: State, part: number): State
  isSame(one: Input, other: Input): boolean
}
