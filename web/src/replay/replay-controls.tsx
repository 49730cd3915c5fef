import { type CSSProperties, useEffect } from 'react'
import { clockTime } from '../format.ts'
import { useStore } from '../store.ts'
import { Button } from '../ui/button.tsx'
import { AgainIcon, BackIcon, ForwardIcon, PauseIcon, PlayIcon } from '../ui/icons.tsx'
import { nextPlace, type Playback, previousPlace, SPEEDS } from './playback.ts'
import type { Point } from './recording.ts'

/** The controls of a replay. */
export function Transport({ playback, points }: PlaybackProps) {
  const { isPlaying, speed, tick } = useStore(playback)
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

interface PlaybackProps {
  readonly playback: Playback
  readonly points: readonly Point[]
}

/** The whole match as a bar, with a mark where each point was scored. Its keys are those of the replay. */
function SeekBar({ playback, points }: PlaybackProps) {
  const { tick } = useStore(playback)
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
        <span key={tick} className="seek-mark" data-seat={seat} style={placed(tick, ticks)} />
      ))}
    </span>
  )
}

/** The place on the bar, from 0 to 1, as a variable of the style sheet. */
function placed(tick: number, ticks: number): CSSProperties & { '--at': string } {
  return { '--at': (ticks > 0 ? tick / ticks : 0).toFixed(5) }
}

/** The keys of a replay. They work wherever the focus is, but not on an element that uses them itself. */
function useReplayKeys(playback: Playback, points: readonly Point[]): void {
  useEffect(() => {
    const down = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return
      const act = actionOf(event.key, playback, points)
      if (!act) return
      event.preventDefault()
      act()
    }
    addEventListener('keydown', down)
    return () => removeEventListener('keydown', down)
  }, [playback, points])
}

/** What a key does; null for nothing. */
function actionOf(key: string, playback: Playback, points: readonly Point[]): (() => void) | null {
  const second = playback.pace
  const { tick } = playback.current
  switch (key) {
    case ' ':
    case 'k':
      return () => playback.toggle(performance.now())
    case 'ArrowLeft':
    case 'ArrowDown':
      return () => playback.seek(playback.position - second)
    case 'ArrowRight':
    case 'ArrowUp':
      return () => playback.seek(playback.position + second)
    case ',':
      return () => playback.seek(tick - 1)
    case '.':
      return () => playback.seek(tick + 1)
    case 'PageUp':
      return () => playback.seek(previousPlace(playback, points))
    case 'PageDown':
      return () => playback.seek(nextPlace(playback, points))
    case 'Home':
      return () => playback.seek(0)
    case 'End':
      return () => playback.seek(playback.ticks)
    default:
      return null
  }
}

/** Whether an element or the page uses a key itself: a button the space bar, the page the keys that scroll. */
function isTaken({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false
  const isOwnBar = target.dataset.testid === 'replay-seek'
  if (isOwnBar) return false
  if (target instanceof HTMLInputElement || target.closest('dialog')) return true
  if (/^(ArrowUp|ArrowDown|Page|Home|End)/.test(key)) return true
  return key === ' ' && target.closest('button, a') !== null
}
