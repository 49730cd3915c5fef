import { useEffect, useState, useSyncExternalStore } from 'react'
import { CELLS, type Cell, COLUMNS, EMPTY } from '../../../../src/games/connect-four/rules.ts'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { useLiveSource } from '../../play/live-source.ts'
import { ErrorNotice } from '../../ui/notice.tsx'
import type { StageProps } from '../game-view.ts'
import { Scoreboard } from '../scoreboard.tsx'
import { Board } from './board.tsx'
import { type BoardState, connectFourRules } from './board-state.ts'

const EMPTY_BOARD: BoardState = {
  board: Array.from({ length: CELLS }, (): Cell => EMPTY),
  turn: 0,
  discs: 0,
  last: null,
  winner: null,
  line: [],
}

export const CONNECT_FOUR_SEATS = ['Orange', 'Blue'] as const

/** A move that the server did not answer within this time may be made again. */
const ANSWER_MS = 1500

export function ConnectFourStage({ match, mine, active, overlay }: StageProps) {
  const { source, error } = useLiveSource(match, connectFourRules, active)
  const known = useSyncExternalStore(source.onChange, () => source.latest)
  const state = known ?? EMPTY_BOARD
  const isOn = match.status === 'live' && known !== null && state.winner === null && state.discs < CELLS
  const isMyTurn = isOn && mine.includes(state.turn)
  // The move that waits for its answer, named by the discs there were: a second click must not be the other's move.
  const [movedAt, setMovedAt] = useState<number | null>(null)
  useEffect(() => {
    if (movedAt === null) return
    const timer = setTimeout(() => setMovedAt(null), ANSWER_MS)
    return () => clearTimeout(timer)
  }, [movedAt])
  const mayMove = isMyTurn && movedAt !== state.discs

  const drop = (column: number) => {
    if (!mayMove) return
    setMovedAt(state.discs)
    source.input(state.turn, { column })
  }

  return (
    <div className="stage stage-four">
      <Scoreboard match={match} mine={mine} seatNames={CONNECT_FOUR_SEATS} turn={isOn ? state.turn : null} />
      <ErrorNotice error={error} />
      <p className="turn" role="status" aria-live="polite" data-testid="turn">
        {sayTurn(match, mine, state, isOn)}
      </p>
      <div className="four-frame">
        <Board state={state} names={namesOf(match)} mayMove={mayMove} onDrop={drop} />
        {overlay}
      </div>
    </div>
  )
}

function namesOf(match: Match): readonly [string, string] {
  const name = (seat: number) =>
    match.players.find((player) => player.seat === seat)?.displayName ?? `Player ${seat + 1}`
  const [left, right] = [name(0), name(1)]
  // Two on one keyboard have one name: the colours tell them apart.
  return left === right ? CONNECT_FOUR_SEATS : [left, right]
}

function sayTurn(match: Match, mine: readonly number[], state: BoardState, isOn: boolean): string {
  const moved = sayMove(match, mine, state)
  if (!isOn) return moved || 'Four in a row wins.'
  const next = mine.length === 1 && mine.includes(state.turn) ? 'Your turn.' : `${namesOf(match)[state.turn]} to move.`
  return `${moved} ${next}`.trim()
}

function sayMove(match: Match, mine: readonly number[], { last, board }: BoardState): string {
  const mover = last === null ? EMPTY : board[last]
  if (last === null || mover === undefined || mover === EMPTY) return ''
  const who = mine.length === 1 && mine.includes(mover) ? 'You' : namesOf(match)[mover]
  return `${who} dropped in column ${(last % COLUMNS) + 1}.`
}
