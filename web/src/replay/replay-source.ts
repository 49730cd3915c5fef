import type { Playback } from './playback.ts'
import type { Recording } from './recording.ts'

/** What a view draws of a recording, where its playback is. */
export interface RecordedSource<State> {
  /** What to draw now. To be read only. */
  state(): State
  /** After the last tick that is complete: the same object until there is another. To be read only. */
  readonly latest: State
  /** The scores then; the same array until they change. */
  readonly scores: readonly number[]
  /** Calls back whenever `latest` may have changed. Answers how to stop that. */
  readonly onChange: (listener: () => void) => () => void
}

export function sourceOf<State, Input, Options>(
  recording: Recording<State, Input, Options>,
  playback: Playback,
): RecordedSource<State> {
  return {
    state: () => recording.draw(playback.position),
    get latest() {
      return recording.state(playback.state.tick)
    },
    get scores() {
      return recording.scoresAt(playback.state.tick)
    },
    onChange: playback.onChange,
  }
}
