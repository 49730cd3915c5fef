import type { CSSProperties } from 'react'
import { clockTime } from '../format.ts'
import type { Playback } from './playback.ts'
import type { Point } from './recording.ts'
import { usePlayback } from './use-replay.ts'

interface SeekBarProps {
  readonly playback: Playback
  readonly points: readonly Point[]
}

/** The whole match as a bar, with a mark where each point was scored. Its keys are those of the replay. */
export function SeekBar({ playback, points }: SeekBarProps) {
  const { tick } = usePlayback(playback)
  const { isTurnBased, pace, ticks } = playback
  const seconds = (at: number) => clockTime((at / pace) * 1000)
  const where = isTurnBased ? `move ${tick} of ${ticks}` : `${seconds(tick)} of ${seconds(ticks)}`
  return (
    <div className="seek" style={placed(tick, ticks)}>
      <input
        className="range"
        type="range"
        min={0}
        max={ticks}
        step={1}
        value={tick}
        aria-label="Place in the match"
        aria-valuetext={where}
        onChange={(event) => playback.seek(Number(event.target.value))}
        data-testid="replay-seek"
      />
      <Marks points={points} ticks={ticks} />
    </div>
  )
}

function Marks({ points, ticks }: { points: readonly Point[]; ticks: number }) {
  return (
    <span className="seek-marks" aria-hidden="true">
      {points.map(({ tick, seat }) => (
        <span key={tick} className={`seek-mark seek-mark-${seat}`} style={placed(tick, ticks)} />
      ))}
    </span>
  )
}

/** How far along the bar something is, for the style sheet. */
function placed(tick: number, ticks: number): CSSProperties & { '--at': string } {
  return { '--at': (ticks > 0 ? tick / ticks : 0).toFixed(5) }
}
