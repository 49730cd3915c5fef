import { useEffect } from 'react'
import { type ConnectFourState, connectFour } from '../../../../src/games/connect-four/index.ts'
import { useStatus } from '../../rally.ts'
import { useSound } from '../../sound/sound.ts'
import { useStore } from '../../store.ts'
import type { StageProps } from '../game-view.ts'
import { CONNECT_FOUR_SEATS, type SeatNames } from '../game-view.ts'
import { Scoreboard } from '../scoreboard.tsx'
import { PlayError, usePlay } from '../use-play.tsx'
import { Board, namesOf, sayMove } from './board.tsx'

const emptyBoard = connectFour.init({ seed: 0, options: { first: 0 } })

export function ConnectFourStage({ match, mine, overlay }: StageProps) {
  const { source, error } = usePlay(match, mine, connectFour)
  const known = useStore(source)
  const state = known ?? emptyBoard
  const isOn = match.status === 'live' && known !== null && connectFour.outcome(state) === null
  const isConnected = useStatus() === 'open'
  const names = namesOf(match.players)
  const sound = useSound()
  const last = sayMove(state, names, mine)
  useEffect(() => {
    if (last) sound.play('drop')
  }, [sound, last])
  return (
    <div className="stage stage-four">
      <Scoreboard players={match.players} mine={mine} seatNames={CONNECT_FOUR_SEATS} turn={isOn ? state.turn : null} />
      <PlayError error={error} />
      <p className="turn" role="status" aria-live="polite" data-testid="turn">
        <span className="turn-last">{last || 'Four in a row wins.'}</span>{' '}
        {isOn && <span>{sayNext(state, names, mine)}</span>}
      </p>
      <div className="four-frame">
        <Board
          state={state}
          names={names}
          mayMove={isOn && isConnected && mine.includes(state.turn)}
          onDrop={(column) => source.input(state.turn, { column })}
        />
        {overlay}
      </div>
    </div>
  )
}

function sayNext(state: ConnectFourState, names: SeatNames, mine: readonly number[]): string {
  return mine.length === 1 && mine.includes(state.turn) ? 'Your turn.' : `${names[state.turn]} to move.`
}
