import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { MatchRunner } from '../../src/engine/match-runner.ts'
import { type AnyGame, defineGame } from '../../src/games/game.ts'
import { RunningMatch } from '../../src/modules/matches/lifecycle/running-match.ts'
import type { Match } from '../../src/modules/matches/types.ts'

/** Every seat adds to its score; the seats take turns. */
const rules = {
  name: 'tally',
  options: z.object({}),
  input: z.number().int(),
  idle: 0,
  init: () => ({ turn: 0, scores: [0, 0, 0] }),
  step: (state: State, inputs: readonly number[]) => {
    state.scores = state.scores.map((score, seat) => score + (inputs[seat] ?? 0))
    if (inputs.some((input) => input !== 0)) state.turn = (state.turn + 1) % 2
  },
  outcome: () => null,
  clone: (state: State) => ({ ...state, scores: [...state.scores] }),
  bot: () => 0,
  scores: (state: State) => state.scores,
}
interface State {
  turn: number
  scores: number[]
}
const tally = defineGame({ ...rules, seats: 2, tickRate: 0, toMove: ({ turn }: State) => turn })
const nobodysTurn = defineGame({ ...rules, seats: 2, tickRate: 0 })
const byTheClock = defineGame({ ...rules, seats: 2, tickRate: 60, toMove: ({ turn }: State) => turn })
const three = defineGame({ ...rules, seats: 3, tickRate: 0, toMove: ({ turn }: State) => turn })

const WAITS = { comeBackMs: 1_000, maxTurnMs: 10_000 }
const quiet = { started() {}, stepped() {}, changed() {}, keyframe() {}, ended() {} }
const ids = ['a', 'b', 'c']
/** The wall clock when the match begins, which differs from the monotonic one. */
const EPOCH = 1_795_176_731_498

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: EPOCH })
})
afterAll(() => {
  vi.useRealTimers()
})

interface Table {
  readonly game?: AnyGame
  /** Null is a bot. Default a, b and so on. */
  readonly users?: readonly (string | null)[]
}

/** A live match, which begins at 0. */
function live({ game = tally, users = ids.slice(0, game.seats) }: Table = {}) {
  const setup = { matchId: 'm', game, seed: 1, options: {}, botSeats: [], maxRewindTicks: 0 }
  const runner = new MatchRunner(setup, quiet)
  const players = users.map((userId, seat) => ({
    seat,
    userId,
    username: userId,
    displayName: `${userId}`,
    score: 0,
    connected: true,
  }))
  const times = { createdAt: 0, startsAt: 0, startedAt: 0, finishedAt: null }
  const common = { id: 'm', game: game.name, mode: 'casual', status: 'live', visibility: 'public', code: 'ABCDEF' }
  const rest = {
    joinUrl: '',
    winnerSeat: null,
    placements: null,
    spectators: 0,
    options: {},
    version: 1,
    endReason: null,
  }
  const first = { ...common, players, ...rest, ...times } as Match
  const deadlines = new Map<number, number>()
  const match = new RunningMatch(runner, first, 4, WAITS, 0)
  return {
    match,
    runner,
    /** Which seats are connected from `now` on. Each player who goes away has a time to come back, as its row does. */
    connect(now: number, ...connected: boolean[]) {
      vi.setSystemTime(EPOCH + now)
      const { returnBy: _, ...before } = match.match
      const players = before.players.map((player, seat) => ({ ...player, connected: connected[seat] ?? true }))
      for (const { seat, connected: isHere } of players) {
        if (isHere) deadlines.delete(seat)
        else if (!deadlines.has(seat)) deadlines.set(seat, EPOCH + now + WAITS.comeBackMs)
      }
      const returnBy = deadlines.size > 0 ? { returnBy: Math.max(...deadlines.values()) } : {}
      match.note({ ...before, ...returnBy, version: before.version + 1, players }, now)
    },
    at: (now: number) => match.endByPlayers(now),
  }
}

const wonBy = (winnerSeat: number, endReason: string, scores = [0, 0, 0]) => ({
  status: 'finished',
  endReason,
  outcome: { placements: scores.map((_, seat) => (seat === winnerSeat ? 1 : 2)), scores },
})

describe('a player who is away', () => {
  test('loses once the time to come back is over, and not before', () => {
    const { connect, at } = live()
    connect(500, false, true)
    expect(at(1_499)).toBeNull()
    expect(at(1_500)).toEqual(wonBy(1, 'forfeit'))
  })

  test('has the whole time again after coming back, and no more time by going again while away', () => {
    const { connect, at } = live()
    connect(0, false, true)
    connect(900, true, true)
    connect(950, false, true)
    connect(1_900, false, true)
    expect(at(1_949)).toBeNull()
    expect(at(1_950)).toEqual(wonBy(1, 'forfeit'))
  })

  test('wins by coming back while the opponent, away for longer, does not', () => {
    const { connect, at } = live()
    connect(0, false, true)
    connect(600, false, false)
    expect(at(1_200)).toBeNull()
    connect(1_300, false, true)
    expect(at(1_300)).toEqual(wonBy(1, 'forfeit'))
  })

  test('has no more than the whole time when the clock of this node is behind', () => {
    const { match, at } = live()
    const players = match.match.players.map((player, seat) => ({ ...player, connected: seat > 0 }))
    match.note({ ...match.match, version: 2, players, returnBy: EPOCH + 60_000 }, 0)
    expect(at(999)).toBeNull()
    expect(at(1_000)).toEqual(wonBy(1, 'forfeit'))
  })

  test('loses at the time in the row, which another node may have written a while ago', () => {
    const { match, at } = live()
    const players = match.match.players.map((player, seat) => ({ ...player, connected: seat > 0 }))
    vi.setSystemTime(EPOCH + 400)
    match.note({ ...match.match, version: 2, players, returnBy: EPOCH + 1_000 }, 400)
    expect(at(999)).toBeNull()
    expect(at(1_000)).toEqual(wonBy(1, 'forfeit'))
  })

  test('does not lose when nobody comes back', () => {
    const { connect, at } = live()
    connect(0, false, false)
    expect(at(1_000)).toEqual({ status: 'aborted', endReason: 'left' })
  })

  test('is not noted from an older version of the match', () => {
    const { match, connect, at } = live()
    const older = { ...match.match, players: match.match.players.map((player) => ({ ...player, connected: false })) }
    connect(0, true, true)
    match.note(older, 0)
    expect(at(5_000)).toBeNull()
  })

  test('does nothing any more', () => {
    const { runner, connect } = live({ game: byTheClock })
    runner.input(0, 1)
    runner.input(1, 1)
    runner.advance()
    connect(0, false, true)
    runner.advance()
    expect(runner.state).toMatchObject({ scores: [1, 2, 0] })
  })

  test('leaves two others to play on', () => {
    const { connect, at } = live({ game: three })
    connect(0, false, true, true)
    expect(at(2_000)).toBeNull()
    connect(2_000, false, false, true)
    expect(at(2_999)).toBeNull()
    expect(at(3_000)).toEqual(wonBy(2, 'forfeit'))
  })
})

describe('a player who leaves', () => {
  test('loses at once, with the scores as they are', () => {
    const { match, runner, at } = live()
    runner.input(1, 5)
    match.leave('a')
    expect(at(0)).toEqual(wonBy(1, 'forfeit', [0, 5, 0]))
  })

  test('loses to an opponent who is away', () => {
    const { match, connect, at } = live()
    connect(0, true, false)
    match.leave('a')
    expect(at(1)).toEqual(wonBy(1, 'forfeit'))
  })

  test('does nothing any more', () => {
    const { match, runner } = live({ game: byTheClock })
    runner.input(0, 1)
    runner.advance()
    match.leave('a')
    runner.advance()
    expect(runner.state).toMatchObject({ scores: [1, 0, 0] })
  })

  test('loses to a bot', () => {
    const { match, at } = live({ users: ['a', null] })
    match.leave('a')
    expect(at(0)).toEqual(wonBy(1, 'forfeit'))
  })

  test('gives up all seats, and a match without players has no result', () => {
    const { match, at } = live({ users: ['a', 'a'] })
    match.leave('a')
    expect(at(0)).toEqual({ status: 'aborted', endReason: 'left' })
  })

  test('changes nothing without a seat', () => {
    const { match, at } = live()
    match.leave('stranger')
    expect(at(0)).toBeNull()
  })

  test('leaves two others to play on, and the last of them to win', () => {
    const { match, at } = live({ game: three })
    match.leave('b')
    expect(at(0)).toBeNull()
    match.leave('a')
    expect(at(0)).toEqual(wonBy(2, 'forfeit'))
  })
})

describe('where nobody moves', () => {
  test('the seat to move loses after its time, which begins with its turn', () => {
    const { runner, at } = live()
    expect(at(10_000)).toBeNull()
    runner.input(0, 3)
    expect(at(10_001)).toBeNull()
    expect(at(20_001)).toBeNull()
    expect(at(20_002)).toEqual(wonBy(0, 'too-slow', [3, 0, 0]))
  })

  test.for<[string, Table]>([
    ['a game does not say whose turn it is', { game: nobodysTurn }],
    ['all seats are one player', { users: ['a', 'a'] }],
    ['two others could win', { game: three }],
  ])('nobody loses when %s', ([, table]) => {
    expect(live(table).at(10_001)).toEqual({ status: 'aborted', endReason: 'too-long' })
  })

  test('a pause is not counted', () => {
    const { match, at } = live()
    match.pause(4_000)
    match.pause(30_000)
    match.resume(64_000)
    expect(at(70_000)).toBeNull()
    expect(at(70_001)).toEqual(wonBy(1, 'too-slow'))
  })

  test('a bot loses too', () => {
    expect(live({ users: [null, 'b'] }).at(10_001)).toEqual(wonBy(1, 'too-slow'))
  })

  test('a game that runs by the clock goes on', () => {
    expect(live({ game: byTheClock }).at(1e9)).toBeNull()
  })
})

describe('scores and spectators', () => {
  test('are written when they changed, and at most every five seconds', () => {
    const { match, runner, connect } = live()
    expect(match.progressToWrite(0)).toBeNull()
    runner.input(0, 2)
    expect(match.progressToWrite(1)).toEqual({ id: 'm', fence: 4, scores: [2, 0, 0], spectators: 0 })
    match.writtenAt = 1
    runner.input(1, 1)
    expect(match.progressToWrite(5_000)).toBeNull()
    expect(match.progressToWrite(5_001)).toMatchObject({ scores: [2, 1, 0] })
    connect(5_001)
    const players = match.match.players.map((player, seat) => ({ ...player, score: [2, 1][seat] ?? 0 }))
    match.note({ ...match.match, version: 9, players }, 5_001)
    expect(match.progressToWrite(20_000)).toBeNull()
    match.spectators = 3
    expect(match.progressToWrite(20_000)).toMatchObject({ scores: [2, 1, 0], spectators: 3 })
  })

  test('are in the result, with everything that a replay needs', () => {
    const { match, runner } = live()
    runner.input(0, 2)
    const result = match.result(
      { status: 'finished', outcome: { placements: [1, 1], scores: [2, 0] }, endReason: null },
      'n',
    )
    expect(result).toMatchObject({ matchId: 'm', node: 'n', fence: 4, winnerSeat: null, scores: [2, 0], ticks: 1 })
    expect(result).toMatchObject({ endReason: null, finalState: { scores: [2, 0, 0] }, inputs: { inputs: [2] } })
  })
})
