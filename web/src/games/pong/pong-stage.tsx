import { useSyncExternalStore } from 'react'
import { useLiveSource } from '../../play/live-source.ts'
import { DownIcon, UpIcon } from '../../ui/icons.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'
import type { StageProps } from '../game-view.ts'
import { Scoreboard } from '../scoreboard.tsx'
import { CourtCanvas } from './court-canvas.tsx'
import { emptyCourt, pongRules } from './pong-rules.ts'
import { usePaddles } from './use-paddles.ts'

export const PONG_SEATS = ['Left', 'Right'] as const

export function PongStage({ match, mine, active, overlay }: StageProps) {
  const { source, error } = useLiveSource(match, pongRules, active)
  // One string, so that the board is drawn again when a score changes and not with every frame.
  const live = useSyncExternalStore(source.onChange, () =>
    source.latest ? `${source.latest.score0}:${source.latest.score1}` : null,
  )
  const scores = match.status === 'live' && live ? live.split(':').map(Number) : null
  const isPlaying = active && mine.length > 0
  const { pointer, button, steer } = usePaddles(source, mine, isPlaying)
  const names = match.players.map((player) => player.displayName).join(' against ')

  const court = (now: number) => {
    const state = source.state(now) ?? emptyCourt
    steer(state)
    return state
  }

  return (
    <div className="stage stage-pong">
      <Scoreboard match={match} mine={mine} seatNames={PONG_SEATS} scores={scores} />
      <ErrorNotice error={error} />
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
