import type { Cell, ConnectFourInput, ConnectFourState } from '../../../../src/games/connect-four/rules.ts'
import type { SourceRules } from '../../play/game-source.ts'

/** What of Connect Four comes over the wire and is needed here. */
export type BoardState = Pick<ConnectFourState, 'board' | 'turn' | 'discs' | 'last' | 'winner' | 'line'>

export const connectFourRules: SourceRules<BoardState, ConnectFourInput> = {
  tickRate: 0,
  idle: { column: null },
  read: (value) => (isBoardState(value) ? value : null),
  blend: (_from, to) => to,
  isSame: (one, other) => one.column === other.column,
}

function isBoardState(value: unknown): value is BoardState {
  if (typeof value !== 'object' || value === null) return false
  const record: Partial<Record<keyof BoardState, unknown>> = value
  return (
    Array.isArray(record.board) &&
    record.board.every(isCell) &&
    (record.turn === 0 || record.turn === 1) &&
    typeof record.discs === 'number' &&
    (record.last === null || typeof record.last === 'number') &&
    (record.winner === null || record.winner === 0 || record.winner === 1) &&
    Array.isArray(record.line) &&
    record.line.every((cell) => typeof cell === 'number')
  )
}

function isCell(value: unknown): value is Cell {
  return value === -1 || value === 0 || value === 1
}
