import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  COLUMNS,
  type ConnectFourInput,
  type ConnectFourState,
  connectFour,
  landing,
  ROWS,
} from '../../src/games/connect-four/index.ts'
import { CELLS, type Cell, EMPTY } from '../../src/games/connect-four/rules.ts'
import { winnerOf } from '../../src/games/game.ts'
import { hashState } from '../../src/games/hash.ts'
import { nextInt, seedPrng } from '../../src/games/prng.ts'
import { simulate } from '../support/simulate.ts'

const IDLE = connectFour.idle

const begin = (first: 0 | 1 = 0, seed = 1): ConnectFourState => connectFour.init({ seed, options: { first } })

/** One move of the seat whose turn it is. */
function drop(state: ConnectFourState, column: number | null): void {
  const inputs: ConnectFourInput[] = [IDLE, IDLE]
  inputs[state.turn] = { column }
  connectFour.step(state, inputs)
}

function play(columns: readonly number[], state = begin()): ConnectFourState {
  for (const column of columns) drop(state, column)
  return state
}

/** A board drawn from the top row down, x for seat 0 and o for seat 1, as a position with `turn` to move. */
function position(turn: 0 | 1, ...rows: string[]): ConnectFourState {
  const state = begin(turn)
  rows.reverse().forEach((row, y) => {
    ;[...row].forEach((disc, x) => {
      if (disc === '.') return
      state.board[y * COLUMNS + x] = disc === 'x' ? 0 : 1
      state.discs++
    })
  })
  return state
}

/** Who has four in a line, by looking at every four cells: the slow way that cannot be wrong. */
function lineOwner(board: readonly Cell[]): number | null {
  const at = (x: number, y: number): Cell =>
    x < 0 || x >= COLUMNS || y >= ROWS ? EMPTY : (board[y * COLUMNS + x] ?? EMPTY)
  for (let y = 0; y < ROWS; y++) {
    for (let x = 0; x < COLUMNS; x++) {
      for (const [dx, dy] of [
        [1, 0],
        [0, 1],
        [1, 1],
        [-1, 1],
      ] as const) {
        const four = [0, 1, 2, 3].map((i) => at(x + i * dx, y + i * dy))
        if (four[0] !== EMPTY && four.every((disc) => disc === four[0])) return four[0] ?? null
      }
    }
  }
  return null
}

describe('a move', () => {
  test('drops a disc onto what lies in the column, and the turn passes', () => {
    const state = play([3, 3, 4])
    expect([state.board[3], state.board[3 + COLUMNS], state.board[4]]).toEqual([0, 1, 0])
    expect(state.board.filter((cell) => cell !== EMPTY)).toHaveLength(3)
    expect([state.turn, state.discs, state.last]).toEqual([1, 3, 4])
  })

  test.each([
    ['nothing', [IDLE, IDLE]],
    ['an input out of turn', [IDLE, { column: 2 }]],
    ['a full column', [{ column: 0 }, IDLE]],
    ['no such column', [{ column: 7 }, IDLE]],
    ['a column before the first', [{ column: -1 }, IDLE]],
    ['half a column', [{ column: 0.5 }, IDLE]],
    ['no number', [{ column: Number.NaN }, IDLE]],
    ['no inputs', []],
  ])('that is %s changes nothing', (_, inputs) => {
    const state = play([0, 0, 0, 0, 0, 0])
    const before = structuredClone(state)
    connectFour.step(state, inputs)
    expect(state).toEqual(before)
  })

  test('by both seats at once counts for the one to move', () => {
    const state = begin(1)
    connectFour.step(state, [{ column: 0 }, { column: 6 }])
    expect([state.board[0], state.board[6], state.turn]).toEqual([EMPTY, 1, 0])
  })
})

describe('who begins', () => {
  test('can be an option, and is drawn from the seed otherwise', () => {
    expect(begin(0).turn).toBe(0)
    expect(begin(1).turn).toBe(1)
    const options = connectFour.options.parse({})
    expect(options).toEqual({ first: 'random' })
    const drawn = Array.from({ length: 1000 }, (_, seed) => connectFour.init({ seed, options }))
    const ones = drawn.filter((state) => state.first === 1).length
    // Six standard deviations are 95.
    expect(Math.abs(ones - 500)).toBeLessThan(95)
    for (const state of drawn) expect(state.turn).toBe(state.first)
    expect(connectFour.options.safeParse({ first: 2 }).success).toBe(false)
  })
})

describe('the end', () => {
  test.each([
    ['a row', [0, 0, 1, 1, 2, 2, 3], [0, 1, 2, 3]],
    ['a column', [5, 0, 5, 0, 5, 0, 5], [5, 12, 19, 26]],
    ['a rising diagonal', [0, 1, 1, 2, 2, 3, 2, 3, 3, 6, 3], [0, 8, 16, 24]],
    ['a falling diagonal', [6, 5, 5, 4, 4, 3, 4, 3, 3, 0, 3], [6, 12, 18, 24]],
    ['a gap filled', [0, 0, 1, 1, 3, 3, 2], [0, 1, 2, 3]],
    ['more than four', [0, 0, 1, 1, 2, 2, 4, 4, 5, 5, 3], [0, 1, 2, 3, 4, 5]],
  ])('comes with four in %s', (_, columns, line) => {
    const state = play(columns.slice(0, -1))
    expect(connectFour.outcome(state)).toBeNull()
    play(columns.slice(-1), state)
    expect(connectFour.outcome(state)).toEqual({ placements: [1, 2], scores: [1, 0] })
    expect(state.line).toEqual(line)
  })

  test('does not come with a line that runs over the edge of the board', () => {
    // Cells 5, 6, 7 and 8 follow each other in the array, not on the board.
    const state = play([5, 0, 0, 1, 1, 3, 6])
    expect(state.board.slice(5, 9)).toEqual([0, 0, 0, 0])
    expect(connectFour.outcome(state)).toBeNull()
  })

  test('names seat 1 if it wins, and is not moved by further input', () => {
    const state = play([6, 0, 6, 0, 5, 0, 5, 0])
    expect(connectFour.outcome(state)).toEqual({ placements: [2, 1], scores: [0, 1] })
    const before = structuredClone(state)
    for (let column = 0; column < COLUMNS; column++) drop(state, column)
    expect(state).toEqual(before)
    expect(connectFour.bot(state, state.turn)).toEqual({ column: null })
  })

  test('is a draw on a full board without a line', () => {
    const pairs = [0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 2, 3, 2, 3, 2, 3, 3, 2, 3, 2, 3, 2]
    const state = play([...pairs, ...[4, 5, 4, 5, 4, 5, 5, 4, 5, 4, 5, 4], ...[6, 6, 6, 6, 6, 6]])
    expect(state.discs).toBe(CELLS)
    expect(lineOwner(state.board)).toBeNull()
    expect(connectFour.outcome(state)).toEqual({ placements: [1, 1], scores: [0, 0] })
    expect(connectFour.bot(state, state.turn)).toEqual({ column: null })
  })
})

describe('random games', () => {
  test('end by a line or a full board, with the winner that a look at every four cells finds, alike twice', () => {
    const ends = [0, 0, 0]
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (seed) => {
        const options = { first: 'random' } as const
        const state = connectFour.init({ seed, options })
        const chance = seedPrng(seed ^ 0x5bd1e995)
        const changes: { tick: number; seat: number; input: ConnectFourInput }[] = []
        let tick = 0
        for (; connectFour.outcome(state) === null; tick++) {
          if (tick >= 2000) throw new Error('stuck')
          if (lineOwner(state.board) !== null) throw new Error(`goes on after a line: ${state.board}`)
          // Columns that do not exist and seats out of turn among them.
          const input = { column: nextInt(chance, COLUMNS + 1) }
          const seat = nextInt(chance, 4) === 0 ? 1 - state.turn : state.turn
          const isLegal = seat === state.turn && landing(state.board, input.column) !== null
          const before = hashState(state)
          connectFour.step(state, seat === 0 ? [input, IDLE] : [IDLE, input])
          changes.push({ tick, seat, input })
          if ((hashState(state) !== before) !== isLegal) throw new Error(`a move that is legal: ${isLegal}`)
        }
        const winner = winnerOf(connectFour.outcome(state)?.placements ?? [])
        expect(winner).toBe(lineOwner(state.board))
        if (winner === null) expect(state.board).not.toContain(EMPTY)
        else expect(state.line.every((cell) => state.board[cell] === winner)).toBe(true)
        expect(state.board.filter((cell) => cell !== EMPTY)).toHaveLength(state.discs)
        const again = simulate(connectFour, { seed, options, changes, ticks: tick })
        expect(hashState(again)).toBe(hashState(state))
        const end = winner ?? 2
        ends[end] = (ends[end] ?? 0) + 1
      }),
      { numRuns: 3000 },
    )
    for (const count of ends) expect(count).toBeGreaterThan(0)
  }, 60_000)
})

describe('the bot', () => {
  test('wins where it can, rather than block', () => {
    const rows = ['.......', '.......', 'x......', 'x....o.', 'x....o.', 'o....o.']
    expect(connectFour.bot(position(0, ...rows), 0)).toEqual({ column: 0 })
    expect(connectFour.bot(position(1, ...rows), 1)).toEqual({ column: 5 })
  })

  test('blocks where it must', () => {
    const column = position(1, '.......', '.......', '.......', 'x......', 'x......', 'x..o.o.')
    expect(connectFour.bot(column, 1)).toEqual({ column: 0 })
    const row = position(1, '.......', '.......', '.......', '.......', '...o...', '..xxxo.')
    expect(connectFour.bot(row, 1)).toEqual({ column: 1 })
    const gap = position(0, '.......', '.......', '.......', '.......', 'x......', 'oo.o..x')
    expect(connectFour.bot(gap, 0)).toEqual({ column: 2 })
  })

  test('does not walk into two threats at once', () => {
    // Three in a row with both ends open cannot be stopped: seat 0 must not let seat 1 have it.
    const state = position(0, '.......', '.......', '.......', '.......', '...x...', '..oo.x.')
    const { column } = connectFour.bot(state, 0)
    expect([1, 4]).toContain(column)
  })

  test('waits for its turn', () => {
    const state = begin(0)
    expect(connectFour.bot(state, 1)).toEqual({ column: null })
    expect(connectFour.bot(state, 0).column).not.toBeNull()
  })

  test('beats who plays at random, nearly always, on either seat', () => {
    let wins = 0
    for (let seed = 0; seed < 60; seed++) {
      const bot = seed % 2
      const state = connectFour.init({ seed, options: { first: 'random' } })
      const chance = seedPrng(seed)
      while (connectFour.outcome(state) === null) {
        drop(state, state.turn === bot ? connectFour.bot(state, bot).column : nextInt(chance, COLUMNS))
      }
      if (winnerOf(connectFour.outcome(state)?.placements ?? []) === bot) wins++
    }
    expect(wins).toBeGreaterThan(57)
  })

  test('plays one game for one seed, and other games for others', () => {
    const game = (seed: number): string => {
      const state = begin(0, seed)
      while (connectFour.outcome(state) === null) drop(state, connectFour.bot(state, state.turn).column)
      return state.board.join()
    }
    expect(game(5)).toBe(game(5))
    expect(new Set(Array.from({ length: 20 }, (_, seed) => game(seed))).size).toBeGreaterThan(5)
  })
})
