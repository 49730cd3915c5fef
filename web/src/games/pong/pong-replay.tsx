import { blendFields } from '../../../../src/client/play/index.ts'
import { pong } from '../../../../src/games/pong/index.ts'
import { ReplayPlayer } from '../../replay/replay-player.tsx'
import type { ReplayStageProps } from '../game-view.ts'
import { PONG_SEATS } from '../game-view.ts'
import { CourtCanvas } from './court-canvas.tsx'

const blend = blendFields(pong.clone, pong.smooth ?? {})
const NOBODY: readonly number[] = []

export function PongReplay({ match, replay }: ReplayStageProps) {
  return (
    <ReplayPlayer
      match={match}
      replay={replay}
      game={pong}
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
