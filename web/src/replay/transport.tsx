import { clockTime } from '../format.ts'
import { Button } from '../ui/button.tsx'
import { AgainIcon, BackIcon, ForwardIcon, PauseIcon, PlayIcon } from '../ui/icons.tsx'
import { nextPlace, previousPlace } from './places.ts'
import { type Playback, SPEEDS } from './playback.ts'
import type { Point } from './recording.ts'
import { SeekBar } from './seek-bar.tsx'
import { usePlayback } from './use-replay.ts'
import { useReplayKeys } from './use-replay-keys.ts'

interface TransportProps {
  readonly playback: Playback
  readonly points: readonly Point[]
}

/** What a replay is played, stopped and gone through with. */
export function Transport({ playback, points }: TransportProps) {
  const { isPlaying, speed, tick } = usePlayback(playback)
  useReplayKeys(playback, points)
  const { isTurnBased, pace, ticks } = playback
  const isOver = tick >= ticks
  const step = isTurnBased ? 'move' : 'point'
  return (
    <section className="transport" aria-label="Playback">
      <SeekBar playback={playback} points={points} />
      <div className="transport-row">
        <div className="transport-buttons">
          <Button
            className="button-icon"
            look="quiet"
            aria-label={`Previous ${step}`}
            onClick={() => playback.seek(previousPlace(playback, points))}
            data-testid="replay-back"
          >
            <BackIcon />
          </Button>
          <Button
            className="button-icon"
            look="primary"
            aria-label={isPlaying ? 'Pause' : isOver ? 'Play again' : 'Play'}
            onClick={() => playback.toggle(performance.now())}
            data-testid="replay-play"
            data-playing={isPlaying || undefined}
          >
            {isPlaying ? <PauseIcon /> : isOver ? <AgainIcon /> : <PlayIcon />}
          </Button>
          <Button
            className="button-icon"
            look="quiet"
            aria-label={`Next ${step}`}
            onClick={() => playback.seek(nextPlace(playback, points))}
            data-testid="replay-forward"
          >
            <ForwardIcon />
          </Button>
        </div>
        <span className="transport-time numbers" data-testid="replay-time">
          {isTurnBased
            ? `Move ${tick} of ${ticks}`
            : `${clockTime((tick / pace) * 1000)} / ${clockTime((ticks / pace) * 1000)}`}
        </span>
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is a form's; these are buttons of one bar */}
        <div className="speeds" role="group" aria-label="Speed">
          {SPEEDS.map((each) => (
            <button
              key={each}
              type="button"
              className="speed numbers"
              aria-pressed={each === speed}
              onClick={() => playback.setSpeed(each)}
              data-testid={`replay-speed-${each}`}
            >
              {each}×
            </button>
          ))}
        </div>
      </div>
      <p className="keys small soft">
        <span>
          <kbd>Space</kbd> plays and pauses, <kbd>←</kbd> <kbd>→</kbd> go {isTurnBased ? 'move by move' : 'by a second'}
          {!isTurnBased && (
            <>
              , <kbd>,</kbd> <kbd>.</kbd> by a picture
            </>
          )}
        </span>
      </p>
    </section>
  )
}
