import { useEffect, useState } from 'react'
import type { Blend } from '../../../src/client/play/index.ts'
import type { Game } from '../../../src/games/game.ts'
import type { Replay } from '../../../src/modules/live/types.ts'
import { momentOf } from './moment.ts'
import { Playback } from './playback.ts'
import { type Point, Recording } from './recording.ts'

interface OpenedReplay<State> {
  readonly source: RecordedSource<State>
  readonly playback: Playback
  readonly points: readonly Point[]
  /** The inputs give the result that the server has stored. */
  readonly isTrue: boolean
}

/** Why a replay cannot be shown here: the page does not have its rules yet or any more, or its inputs are broken. */
export type ReplayTrouble = 'newer-rules' | 'older-rules' | 'broken'

/** Opens a replay with the rules of its game, and moves it on while it is playing. */
export function useReplay<State, Input, Options>(
  game: Game<State, Input, Options>,
  replay: Replay,
  blend: Blend<State> | null,
): OpenedReplay<State> | ReplayTrouble {
  const [opened] = useState(() => open(game, replay, blend))
  const playback = typeof opened === 'string' ? null : opened.playback
  useEffect(() => {
    if (!playback) return
    let request = 0
    const loop = (now: number) => {
      playback.advance(now)
      request = playback.current.isPlaying ? requestAnimationFrame(loop) : 0
    }
    const start = () => {
      if (playback.current.isPlaying && request === 0) request = requestAnimationFrame(loop)
    }
    start()
    const stop = playback.onChange(start)
    return () => {
      stop()
      cancelAnimationFrame(request)
    }
  }, [playback])
  return opened
}

function open<State, Input, Options>(
  game: Game<State, Input, Options>,
  replay: Replay,
  blend: Blend<State> | null,
): OpenedReplay<State> | ReplayTrouble {
  if (replay.rulesVersion !== game.version) return replay.rulesVersion > game.version ? 'newer-rules' : 'older-rules'
  let recording: Recording<State, Input, Options>
  try {
    recording = new Recording(game, replay, blend)
  } catch {
    return 'broken'
  }
  const playback = new Playback(recording.ticks, game.tickRate)
  playback.seek(momentOf(location.search) * playback.pace)
  const scores = recording.scoresAt(recording.ticks)
  const isTrue = replay.scores.every((score, seat) => score === scores[seat])
  return { source: sourceOf(recording, playback), playback, points: recording.points, isTrue }
}

/** What a view draws of a recording at the place of its playback: a store of the state after the last complete tick. */
export interface RecordedSource<State> {
  /** What to draw now. To be read only. */
  state(): State
  /** The same object until there is another. To be read only. */
  readonly current: State
  /** The scores then; the same array until they change. */
  readonly scores: readonly number[]
  /** Calls back whenever `current` may have changed. Returns a function that stops. */
  readonly onChange: (listener: () => void) => () => void
}

function sourceOf<State, Input, Options>(
  recording: Recording<State, Input, Options>,
  playback: Playback,
): RecordedSource<State> {
  return {
    state: () => recording.draw(playback.position),
    get current() {
      return recording.state(playback.current.tick)
    },
    get scores() {
      return recording.scoresAt(playback.current.tick)
    },
    onChange: playback.onChange,
  }
}
