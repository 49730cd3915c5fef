import { type KeyboardEvent, useRef, useState } from 'react'
import { COLUMNS, type ConnectFourState, EMPTY, landing, ROWS } from '../../../../src/games/connect-four/rules.ts'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { CONNECT_FOUR_SEATS, type SeatNames } from '../game-view.ts'

interface BoardProps {
  readonly state: ConnectFourState
  /** What the seats are called. */
  readonly names: SeatNames
  readonly mayMove: boolean
  readonly onDrop: (column: number) => void
}

const columns = Array.from({ length: COLUMNS }, (_, column) => column)
/** From the top, as they are drawn. */
const rows = Array.from({ length: ROWS }, (_, index) => ROWS - 1 - index)

/** Seven columns to drop a disc into: each is a button; the arrow keys go from one to the next. */
export function Board({ state, names, mayMove, onDrop }: BoardProps) {
  const [focused, setFocused] = useState(3)
  const buttons = useRef<(HTMLButtonElement | null)[]>([])

  const walk = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0
    if (step === 0) return
    event.preventDefault()
    const next = Math.min(COLUMNS - 1, Math.max(0, focused + step))
    setFocused(next)
    buttons.current[next]?.focus()
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would be a form's; these are the columns of one board
    <div className="four-board" role="group" aria-label="Board, seven columns" onKeyDown={walk} data-turn={state.turn}>
      {columns.map((column) => {
        const free = landing(state.board, column)
        return (
          <button
            key={column}
            ref={(element) => {
              buttons.current[column] = element
            }}
            type="button"
            className="four-column"
            tabIndex={column === focused ? 0 : -1}
            aria-label={describeColumn(state, column, names)}
            aria-disabled={!mayMove || free === null}
            onFocus={() => setFocused(column)}
            onClick={() => {
              if (mayMove && free !== null) onDrop(column)
            }}
            data-testid={`column-${column}`}
          >
            {rows.map((row) => {
              const cell = row * COLUMNS + column
              return (
                <span
                  key={row}
                  className="four-cell"
                  data-disc={state.board[cell] === EMPTY ? undefined : state.board[cell]}
                  data-last={state.last === cell || undefined}
                  data-line={state.line.includes(cell) || undefined}
                  data-landing={(mayMove && free === cell) || undefined}
                  data-row={row}
                />
              )
            })}
          </button>
        )
      })}
    </div>
  )
}

function describeColumn(state: ConnectFourState, column: number, names: SeatNames): string {
  const discs: string[] = []
  for (let row = 0; row < ROWS; row++) {
    const disc = state.board[row * COLUMNS + column]
    if (disc === undefined || disc === EMPTY) break
    discs.push(disc === 0 ? names[0] : names[1])
  }
  if (discs.length === 0) return `Column ${column + 1}, empty`
  const full = discs.length === ROWS ? ', full' : ''
  return `Column ${column + 1}${full}, from the bottom: ${discs.join(', ')}`
}

/** The names of the two players; their colours where both are one person. */
export function namesOf(players: Match['players']): SeatNames {
  const name = (seat: number) => players.find((player) => player.seat === seat)?.displayName ?? `Player ${seat + 1}`
  const [left, right] = [name(0), name(1)]
  return left === right ? CONNECT_FOUR_SEATS : [left, right]
}

/** The last move in words; empty before the first. */
export function sayMove({ last, board }: ConnectFourState, names: SeatNames, mine: readonly number[] = []): string {
  const mover = last === null ? EMPTY : board[last]
  if (last === null || mover === undefined || mover === EMPTY) return ''
  const who = mine.length === 1 && mine.includes(mover) ? 'You' : names[mover]
  return `${who} dropped in column ${(last % COLUMNS) + 1}.`
}
