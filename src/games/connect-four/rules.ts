import { z } from 'zod'
import { type Outcome, placementsByScore } from '../game.ts'
import { nextUint32, seedPrng } from '../prng.ts'

export const COLUMNS = 7
export const ROWS = 6
export const CELLS = COLUMNS * ROWS

/** What a cell holds: nothing, or a disc of seat 0 or 1. */
export type Cell = -1 | 0 | 1
export const EMPTY = -1

const seat = z.literal([0, 1])
const generator = z.int32().describe('Part of the generator of random numbers, xoshiro128**: a signed 32-bit integer.')

export const ConnectFourState = z.strictObject({
  rngA: generator,
  rngB: generator,
  rngC: generator,
  rngD: generator,
  board: z
    .array(z.literal([-1, 0, 1]))
    .length(CELLS)
    .describe(
      'What each cell holds: -1 for nothing, or the seat of its disc. Row by row from the bottom, each from the left.',
    ),
  turn: seat.describe('The seat that is to move; once the game is over, the one that would have been.'),
  first: seat.describe('The seat that moved first.'),
  discs: z.int().describe('Discs on the board.'),
  last: z.int().nullable().describe('The cell of the last disc; null before the first.'),
  winner: seat.nullable().describe('Null while nobody has won, and after a draw.'),
  line: z
    .array(z.int())
    .describe("The winner's line, from its lower or left end: 4 to 7 cells; empty without a winner."),
})
export type ConnectFourState = z.infer<typeof ConnectFourState>

export interface ConnectFourInput {
  /** Where to drop a disc, 0 (left) to 6; null for nothing. */
  readonly column: number | null
}

export interface ConnectFourOptions {
  /** The seat that moves first, or `random` to let the seed say. */
  readonly first: 0 | 1 | 'random'
}

/** The directions of lines: right, up, up and right, up and left. */
export const DIRECTIONS = [
  [1, 0],
  [0, 1],
  [1, 1],
  [-1, 1],
] as const

export function initConnectFour({ seed, options }: { seed: number; options: ConnectFourOptions }): ConnectFourState {
  const prng = seedPrng(seed)
  const drawn = nextUint32(prng) < 0x8000_0000 ? 0 : 1
  const first = options.first === 'random' ? drawn : options.first
  return {
    ...prng,
    board: Array.from({ length: CELLS }, (): Cell => EMPTY),
    turn: first,
    first,
    discs: 0,
    last: null,
    winner: null,
    line: [],
  }
}

export function cloneConnectFour(state: ConnectFourState): ConnectFourState {
  return { ...state, board: state.board.slice(), line: state.line.slice() }
}

/** Drops a disc of the seat that is to move. Ignores inputs out of turn, into a full column, and after the end. */
export function stepConnectFour(state: ConnectFourState, inputs: readonly ConnectFourInput[]): void {
  if (isOver(state)) return
  const seat = state.turn
  const column = inputs[seat]?.column ?? null
  if (column === null) return
  const cell = landing(state.board, column)
  if (cell === null) return
  state.board[cell] = seat
  state.discs += 1
  state.last = cell
  state.turn = seat === 0 ? 1 : 0
  state.line = lineThrough(state.board, cell)
  if (state.line.length > 0) state.winner = seat
}

export function connectFourOutcome(state: ConnectFourState): Outcome | null {
  if (!isOver(state)) return null
  const scores = connectFourScores(state)
  return { placements: placementsByScore(scores), scores }
}

/** 1 for the winner, 0 for a loss or a draw. */
export function connectFourScores(state: ConnectFourState): readonly number[] {
  return [state.winner === 0 ? 1 : 0, state.winner === 1 ? 1 : 0]
}

/** The seat whose turn it is; null once the game is over. */
export function connectFourToMove(state: ConnectFourState): 0 | 1 | null {
  return isOver(state) ? null : state.turn
}

/** The cell where a disc dropped into `column` comes to rest; null if the column is full or does not exist. */
export function landing(board: readonly Cell[], column: number): number | null {
  if (!Number.isInteger(column) || column < 0 || column >= COLUMNS) return null
  for (let cell = column; cell < CELLS; cell += COLUMNS) {
    if (board[cell] === EMPTY) return cell
  }
  return null
}

function isOver(state: ConnectFourState): boolean {
  return state.winner !== null || state.discs === CELLS
}

/** The cells of the first line of four or more that goes through `cell`, or none. */
function lineThrough(board: readonly Cell[], cell: number): number[] {
  for (const [right, up] of DIRECTIONS) {
    const back = run(board, cell, -right, -up)
    const length = back + 1 + run(board, cell, right, up)
    if (length < 4) continue
    const stride = up * COLUMNS + right
    return Array.from({ length }, (_, i) => cell + (i - back) * stride)
  }
  return []
}

/** How many cells on from `cell`, in one direction, hold the same seat's discs. */
function run(board: readonly Cell[], cell: number, right: number, up: number): number {
  let column = (cell % COLUMNS) + right
  let row = Math.floor(cell / COLUMNS) + up
  let count = 0
  while (column >= 0 && column < COLUMNS && row >= 0 && row < ROWS && board[row * COLUMNS + column] === board[cell]) {
    count++
    column += right
    row += up
  }
  return count
}
