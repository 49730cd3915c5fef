import { type ReactNode, useSyncExternalStore } from 'react'
import type { Blend } from '../../../src/client/play/index.ts'
import type { Game } from '../../../src/games/game.ts'
import type { Replay } from '../../../src/modules/live/types.ts'
import type { Match } from '../../../src/modules/matches/types.ts'
import type { SeatNames } from '../games/game-view.ts'
import { Scoreboard } from '../games/scoreboard.tsx'
import { useStore } from '../store.ts'
import { ReloadButton, ShareButton } from '../ui/button.tsx'
import { PlayIcon } from '../ui/icons.tsx'
import { Notice } from '../ui/notice.tsx'
import { addressOfMoment } from './moment.ts'
import type { Playback } from './playback.ts'
import { Transport } from './replay-controls.tsx'
import { type RecordedSource, type ReplayTrouble, useReplay } from './use-replay.ts'

interface ReplayPlayerProps<State, Input, Options> {
  readonly match: Match
  readonly replay: Replay
  readonly game: Game<State, Input, Options>
  /** How the game is drawn between two ticks; null if it is not. */
  readonly blend: Blend<State> | null
  readonly seatNames: SeatNames
  /** The class of the box around the picture. */
  readonly frame: string
  /** Above the picture. */
  readonly caption?: (source: RecordedSource<State>) => ReactNode
  readonly picture: (source: RecordedSource<State>) => ReactNode
}

/** The replay of a match: scores, picture, controls. */
export function ReplayPlayer<State, Input, Options>(props: ReplayPlayerProps<State, Input, Options>) {
  const { match, replay, game, blend, seatNames, frame, caption, picture } = props
  const opened = useReplay(game, replay, blend)
  if (typeof opened === 'string') return <Trouble trouble={opened} />
  const { source, playback, points, isTrue } = opened
  return (
    <div className="stage replay">
      <Scores source={source} match={match} seatNames={seatNames} />
      {caption?.(source)}
      <div className={frame}>
        {picture(source)}
        <Begin playback={playback} />
      </div>
      <Transport playback={playback} points={points} />
      <div>
        <ShareButton url={() => addressOfMoment(match.id, playback)} title="A match on Rally" what="this moment" />
      </div>
      {isTrue ? (
        <p className="small soft replay-note">
          Your device played this match again from {replay.changes.length} inputs and got the server’s result.
        </p>
      ) : (
        <Notice look="warn">Your device played this match again and got another result than the server.</Notice>
      )}
    </div>
  )
}

function Scores({ source, match, seatNames }: ScoresProps) {
  const scores = useSyncExternalStore(source.onChange, () => source.scores)
  const mine = match.mode === 'local' ? BOTH : NOBODY
  return <Scoreboard players={match.players} mine={mine} seatNames={seatNames} scores={scores} isReplay />
}

interface ScoresProps {
  readonly source: Pick<RecordedSource<unknown>, 'scores' | 'onChange'>
  readonly match: Match
  readonly seatNames: SeatNames
}

const BOTH: readonly number[] = [0, 1]
const NOBODY: readonly number[] = []

/** A button as large as the picture, until the replay is started for the first time. */
function Begin({ playback }: { playback: Playback }) {
  const { isPlaying, tick } = useStore(playback)
  if (isPlaying || tick > 0) return null
  return (
    <button
      type="button"
      className="replay-begin"
      aria-label="Play the match"
      onClick={() => playback.toggle(performance.now())}
    >
      <PlayIcon />
    </button>
  )
}

function Trouble({ trouble }: { trouble: ReplayTrouble }) {
  switch (trouble) {
    case 'newer-rules':
      return (
        <Notice look="warn">
          This match was played by rules that are newer than this page. <ReloadButton />
        </Notice>
      )
    case 'older-rules':
      return (
        <Notice look="warn">
          This match was played by older rules, which this page no longer has. With the rules of today it would end
          differently. Its result stands.
        </Notice>
      )
    case 'broken':
      return <Notice look="error">The inputs of this match cannot be read, so it cannot be shown.</Notice>
  }
}
