import { blendFields } from '../../../../src/client/play/index.ts'
import { ReplayPlayer } from '../../replay/replay-player.tsx'
import type { ReplayStageProps } from '../game-view.ts'
import { PONG_SEATS } from '../seat-names.ts'
import { CourtCanvas } from './court-canvas.tsx'
import { playedPong } from './played-pong.ts'

const { game, smooth = {} } = playedPong
const blend = blendFields(game.clone, smooth)
const NOBODY: readonly number[] = []

export function PongReplay({ match, replay }: ReplayStageProps) {
  return (
    <ReplayPlayer
      match={match}
      replay={replay}
      game={game}
      blend={blend}
      seatNames={PONG_SEATS}
      frame="court"
      picture={(source) => (
        <CourtCanvas
          court={() => source.state()}
          mine={NOBODY}
          role="img"
          aria-label="Replay of the match"
          data-testid="pong-canvas"
        />
      )}
    />
  )
}
