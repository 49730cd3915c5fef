/**
 * Where a view has a game from, and where its inputs go. The view neither knows nor cares whether the state is
 * predicted here, a spectator's, or out of a replay.
 */
export interface GameSource<State, Input> {
  /** What to draw now; null until there is something. */
  state(): State | null
  /** The newest state as it is known, for what is not drawn on every frame; null until there is one. */
  readonly latest: State | null
  /**
   * How long, in ms, what `state` shows may still be taken back: it is ahead of what can be known here by now. 0 where
   * nothing is predicted.
   */
  readonly leadMs: number
  /** What a seat does from now on, or in a turn-based game once. To say the same again costs nothing. */
  input(seat: number, input: Input): void
  /** Calls back whenever `latest` has changed. Answers how to stop that. */
  readonly onChange: (listener: () => void) => () => void
}
