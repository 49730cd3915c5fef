import { scramble } from '../prng.ts'
import {
  CELLS,
  type Cell,
  COLUMNS,
  type ConnectFourInput,
  type ConnectFourState,
  DIRECTIONS,
  EMPTY,
  landing,
  ROWS,
} from './rules.ts'

/** How many discs ahead the bot looks, its own included. */
const DEPTH = 5
/** More than any position can be worth without a line of four. */
const WIN = 100_000
/** What a line of four cells is worth to the seat that alone has discs in it, by their number. */
const WORTH = [0, 1, 4, 16, WIN]
/** Moves this near to the best count as equal. The state decides which one is played, so that games differ. */
const AS_GOOD = 1
/** The middle comes first: its moves are better more often, so the search is shorter. */
const ORDER = [3, 2, 4, 1, 5, 0, 6]

/** The cells of every line of four. */
const LINES: readonly (readonly number[])[] = Array.from({ length: CELLS }, (_, cell) =>
  DIRECTIONS.flatMap(([right, up]) => {
    const column = (cell % COLUMNS) + 3 * right
    const row = Math.floor(cell / COLUMNS) + 3 * up
    if (column < 0 || column >= COLUMNS || row >= ROWS) return []
    return [[0, 1, 2, 3].map((i) => cell + i * (up * COLUMNS + right))]
  }),
).flat()

/** The lines that go through each cell, as indexes of `LINES`. */
const LINES_THROUGH: readonly (readonly number[])[] = Array.from({ length: CELLS }, (_, cell) =>
  LINES.flatMap((line, index) => (line.includes(cell) ? [index] : [])),
)

/** Looks a few discs ahead (negamax with alpha-beta). It does nothing out of turn and after the end. */
export function connectFourBot(state: ConnectFourState, seat: number): ConnectFourInput {
  if (state.turn !== seat || state.winner !== null) return { column: null }
  const search = new Search(state.board)
  const me: 0 | 1 = seat === 0 ? 0 : 1
  let best = Number.NEGATIVE_INFINITY
  const found: { column: number; value: number }[] = []
  for (const column of ORDER) {
    // A bound a little below the best one: a move that counts as equal gets its true value.
    const value = search.valueOf(column, me, DEPTH, best - AS_GOOD - 1, Number.POSITIVE_INFINITY)
    if (value === null) continue
    best = Math.max(best, value)
    found.push({ column, value })
  }
  const good = found.filter(({ value }) => value >= best - AS_GOOD)
  const drawn = scramble(state.rngA ^ scramble(state.discs)) >>> 0
  return { column: good[drawn % good.length]?.column ?? null }
}

/** A board on which discs can be put and taken back. It keeps the worth of its lines up to date. */
class Search {
  readonly #board: Cell[]
  /** How many discs of each seat a line holds, at twice its index plus the seat. */
  readonly #counts = new Uint8Array(LINES.length * 2)
  /** What the board is worth to seat 0. */
  #worth = 0

  constructor(board: readonly Cell[]) {
    this.#board = board.map((): Cell => EMPTY)
    board.forEach((disc, cell) => {
      if (disc !== EMPTY) this.#change(cell, disc, 1)
    })
  }

  /** What a disc in `column` is worth to `seat`: exact between `alpha` and `beta`, else a bound; null if it is full. */
  valueOf(column: number, seat: 0 | 1, depth: number, alpha: number, beta: number): number | null {
    const cell = landing(this.#board, column)
    if (cell === null) return null
    const hasWon = this.#change(cell, seat, 1)
    // A win counts more the sooner it comes.
    const value = hasWon ? WIN + depth : -this.#best(seat === 0 ? 1 : 0, depth - 1, -beta, -alpha)
    this.#change(cell, seat, -1)
    return value
  }

  #best(seat: 0 | 1, depth: number, alpha: number, beta: number): number {
    if (depth === 0) return seat === 0 ? this.#worth : -this.#worth
    let best: number | null = null
    let floor = alpha
    for (const column of ORDER) {
      const value = this.valueOf(column, seat, depth, floor, beta)
      if (value === null) continue
      if (best === null || value > best) best = value
      if (best >= beta) return best
      floor = Math.max(floor, best)
    }
    // A full board is a draw.
    return best ?? 0
  }

  /** Puts a disc (`by` 1) or takes it back (`by` -1). Answers whether it completes a line. */
  #change(cell: number, seat: 0 | 1, by: 1 | -1): boolean {
    this.#board[cell] = by === 1 ? seat : EMPTY
    let hasWon = false
    for (const line of LINES_THROUGH[cell] ?? []) {
      this.#worth -= this.#lineWorth(line)
      const count = (this.#counts[line * 2 + seat] ?? 0) + by
      this.#counts[line * 2 + seat] = count
      this.#worth += this.#lineWorth(line)
      if (count === 4) hasWon = true
    }
    return hasWon
  }

  /** What one line is worth to seat 0: nothing once both seats have discs in it. */
  #lineWorth(line: number): number {
    const mine = this.#counts[line * 2] ?? 0
    const theirs = this.#counts[line * 2 + 1] ?? 0
    if (theirs === 0) return WORTH[mine] ?? 0
    return mine === 0 ? -(WORTH[theirs] ?? 0) : 0
  }
}
