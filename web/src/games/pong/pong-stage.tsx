import { useState, useSyncExternalStore } from 'react'
import { pong } from '../../../../src/games/pong/index.ts'
import { PlayError } from '../../play/play-error.tsx'
import { usePlay } from '../../play/use-play.ts'
import { DownIcon, UpIcon } from '../../ui/icons.tsx'
import type { StageProps } from '../game-view.ts'
import { Scoreboard } from '../scoreboard.tsx'
import { PONG_SEATS } from '../seat-names.ts'
import { emptyCourt } from './court.ts'
import { CourtCanvas } from './court-canvas.tsx'
import { SettledScores } from './settled-scores.ts'
import { usePaddles } from './use-paddles.ts'

export function PongStage({ match, mine, active, overlay }: StageProps) {
  const { source, error } = usePlay(match, mine, pong)
  const [settled] = useState(() => new SettledScores())
  const scores = useSyncExternalStore(settled.onChange, () => settled.shown)
  const isPlaying = active && mine.length > 0
  const { pointer, button, steer } = usePaddles(source, mine, isPlaying)
  const names = match.players.map((player) => player.displayName).join(' against ')

  const court = () => {
    const state = source.state()
    if (!state) return emptyCourt
    settled.see(pong.scores(state), performance.now(), () => source.leadMs)
    steer(state)
    return state
  }

  return (
    <div className="stage stage-pong">
      <Scoreboard
        players={match.players}
        mine={mine}
        seatNames={PONG_SEATS}
        scores={match.status === 'live' ? scores : null}
      />
      <PlayError error={error} />
      <div className="court">
        <CourtCanvas
          court={court}
          mine={mine}
          role="img"
          aria-label={`Pong: ${names}`}
          data-testid="pong-canvas"
          data-playing={isPlaying || undefined}
          {...pointer}
        />
        {overlay}
      </div>
      {isPlaying && (
        <div className="pads">
          {mine.map((seat) => (
            <div key={seat} className={`pad pad-${seat}`}>
              <button type="button" className="button" aria-label={padName('up', seat, mine)} {...button(seat, -1)}>
                <UpIcon />
              </button>
              <button type="button" className="button" aria-label={padName('down', seat, mine)} {...button(seat, 1)}>
                <DownIcon />
              </button>
            </div>
          ))}
        </div>
      )}
      {isPlaying && <Keys isLocal={mine.length > 1} />}
    </div>
  )
}

function padName(direction: string, seat: number, mine: readonly number[]): string {
  return mine.length > 1 ? `${seat === 0 ? 'Left' : 'Right'} paddle ${direction}` : `Paddle ${direction}`
}

function Keys({ isLocal }: { isLocal: boolean }) {
  if (isLocal) {
    return (
      <p className="keys keys-local small soft">
        <span>
          Left: <kbd>W</kbd> <kbd>S</kbd>
        </span>
        <span>
          Right: <kbd>↑</kbd> <kbd>↓</kbd>
        </span>
      </p>
    )
  }
  return (
    <p className="keys small soft">
      <span>
        Move with <kbd>W</kbd> <kbd>S</kbd> or <kbd>↑</kbd> <kbd>↓</kbd>, or drag on the court
      </span>
    </p>
  )
}
