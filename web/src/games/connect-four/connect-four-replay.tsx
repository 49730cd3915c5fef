import { type ConnectFourState, connectFour } from '../../../../src/games/connect-four/index.ts'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { ReplayPlayer } from '../../replay/replay-player.tsx'
import type { RecordedSource } from '../../replay/use-replay.ts'
import { useStore } from '../../store.ts'
import type { ReplayStageProps } from '../game-view.ts'
import { CONNECT_FOUR_SEATS } from '../game-view.ts'
import { Board, namesOf, sayMove } from './board.tsx'

export function ConnectFourReplay({ match, replay }: ReplayStageProps) {
  return (
    <ReplayPlayer
      match={match}
      replay={replay}
      game={connectFour}
      blend={null}
      seatNames={CONNECT_FOUR_SEATS}
      frame="four-frame"
      caption={(source) => <Move source={source} players={match.players} />}
      picture={(source) => <Discs source={source} players={match.players} />}
    />
  )
}

interface RecordedProps {
  readonly source: RecordedSource<ConnectFourState>
  readonly players: Match['players']
}

function Discs({ source, players }: RecordedProps) {
  const state = useStore(source)
  return <Board state={state} names={namesOf(players)} mayMove={false} onDrop={() => undefined} />
}

function Move({ source, players }: RecordedProps) {
  const state = useStore(source)
  const names = namesOf(players)
  return (
    <p className="turn" role="status" data-testid="turn">
      {sayMove(state, names) || `${names[state.turn]} begins.`}
    </p>
  )
}
