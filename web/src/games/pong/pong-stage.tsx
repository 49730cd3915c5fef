import { useEffect, useState } from 'react'
import { pong } from '../../../../src/games/pong/index.ts'
import { useSound } from '../../sound/sound.ts'
import { Store, useStore } from '../../store.ts'
import { DownIcon, UpIcon } from '../../ui/icons.tsx'
import { PONG_SEATS, type StageProps } from '../game-view.ts'
import { Scoreboard } from '../scoreboard.tsx'
import { PlayError, usePlay } from '../use-play.tsx'
import { CourtCanvas, emptyCourt } from './court-canvas.tsx'
import { PongSounds } from './pong-sounds.ts'
import { usePaddles } from './use-paddles.ts'

export function PongStage({ match, mine, active, overlay }: StageProps) {
  const { source, error } = usePlay(match, mine, pong)
  const [settled] = useState(() => new SettledScores(null))
  const scores = useStore(settled)
  const sound = useSound()
  const [sounds] = useState(() => new PongSounds(sound))
  useEffect(() => {
    if (scores) sounds.score(scores, mine)
  }, [sounds, scores, mine])
  const isPlaying = active && mine.length > 0
  const { pointer, button, steer } = usePaddles(source, mine, isPlaying)
  const names = match.players.map((player) => player.displayName).join(' against ')

  const court = () => {
    const state = source.state()
    if (!state) return emptyCourt
    settled.see(pong.scores(state), performance.now(), () => source.leadMs)
    steer(state)
    sounds.see(state)
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
            <div key={seat} className="pad" data-seat={seat}>
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

/**
 * The scores beside a game whose drawing is ahead of what is known: a point that is only predicted may be taken back, so
 * it is shown once that is no longer possible. Null until there are scores.
 */
class SettledScores extends Store<readonly number[] | null> {
  /** The scores that were drawn last, since when, and for how long they have to stand. */
  #drawn: { readonly scores: readonly number[]; readonly since: number; readonly holdMs: number } | null = null

  /** The scores of what is drawn at `now`; `leadMs` is asked when they are new. */
  see(scores: readonly number[], now: number, leadMs: () => number): void {
    if (!isSame(this.#drawn?.scores, scores)) this.#drawn = { scores, since: now, holdMs: this.current ? leadMs() : 0 }
    const drawn = this.#drawn
    if (drawn && !isSame(this.current, scores) && now - drawn.since >= drawn.holdMs) this.set(scores)
  }
}

function isSame(one: readonly number[] | null | undefined, other: readonly number[]): boolean {
  return one?.length === other.length && one.every((score, seat) => score === other[seat])
}
