import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  Engine,
  type MatchRunner,
  packInputs,
  type RunEnd,
  type RunnerFrame,
  unpackInputs,
} from '../../src/engine/index.ts'
import { MatchRunner as Runner } from '../../src/engine/match-runner.ts'
import { type AnyGame, defineGame } from '../../src/games/game.ts'
import { hashState } from '../../src/games/hash.ts'
import { games } from '../../src/games/index.ts'
import { HeldInputs, type InputChange } from '../../src/games/simulate.ts'
import { simulate } from '../support/simulate.ts'

const { pong } = games

/** Remembers every input at the tick at which it had its effect: two logs that differ anywhere give different states. */
const recorder = defineGame<{ ticks: number; sum: number }, number, { length: number }>({
  name: 'recorder',
  version: 1,
  seats: 3,
  tickRate: 60,
  options: z.object({ length: z.number() }),
  input: z.number(),
  idle: 0,
  init: () => ({ ticks: 0, sum: 1 }),
  step: (state, inputs) => {
    if (state.ticks >= 2 ** 20) return
    state.ticks++
    for (const input of inputs) state.sum = (Math.imul(state.sum, 31) + input) | 0
  },
  outcome: () => null,
  clone: (state) => ({ ...state }),
  bot: (state) => (state.sum >>> 8) % 3,
  scores: () => [0, 0, 0],
})

interface Heard {
  readonly changes: [number, number, unknown][]
  /** How far each of them was moved. */
  readonly moved: number[]
  readonly keyframes: { at: number; tick: number; hash: number }[]
  readonly ends: RunEnd[]
}

interface Options {
  readonly seed?: number
  readonly options?: unknown
  readonly botSeats?: readonly number[]
  readonly maxRewindTicks?: number
  readonly changed?: (runner: MatchRunner, tick: number, seat: number, input: unknown) => void
}

function run(game: AnyGame, { seed = 1, options = {}, botSeats = [], maxRewindTicks = 6, changed }: Options = {}) {
  const heard: Heard = { changes: [], moved: [], keyframes: [], ends: [] }
  const runner = new Runner(
    { matchId: 'm', game, seed, options: game.options.parse(options), botSeats, maxRewindTicks },
    {
      started: () => {},
      stepped: () => {},
      changed: (runner, tick, seat, input, moved) => {
        heard.changes.push([tick, seat, input])
        heard.moved.push(moved)
        changed?.(runner, tick, seat, input)
      },
      keyframe: (runner, { tick, state }) => heard.keyframes.push({ at: runner.tick, tick, hash: hashState(state) }),
      ended: (_, end) => heard.ends.push(end),
    },
  )
  return { runner, heard }
}

function replay(runner: MatchRunner, ticks = runner.tick): number {
  const { game, seed, options, log } = runner
  return hashState(simulate(game, { seed, options, changes: log, ticks }))
}

function heldAfter(game: AnyGame, log: readonly InputChange[], tick: number): unknown[] {
  const held = new HeldInputs<unknown>(game)
  for (const change of log) if (change.tick <= tick) held.set(change.seat, change.input)
  return [...held.current]
}

/** Steps, and inputs that name a tick so far from the current one, or none. */
const script = (seats: number, inputs: readonly unknown[]) =>
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ steps: fc.integer({ min: 1, max: 9 }) }) },
      {
        weight: 4,
        arbitrary: fc.record({
          seat: fc.nat(seats - 1),
          input: fc.constantFrom(...inputs),
          away: fc.option(fc.oneof(fc.integer({ min: -20, max: 20 }), fc.integer({ min: -300, max: 300 }))),
        }),
      },
    ),
    { maxLength: 150 },
  )

const cases: [string, AnyGame, readonly unknown[]][] = [
  ['a game that remembers everything', recorder, [0, 1, 2, 3]],
  ['pong', pong, pong.inputs ?? []],
]

describe.each(cases)('rewinding in %s', (_, game, inputs) => {
  const options = game === recorder ? { length: 1 } : { pointsToWin: 21 }

  test('leaves a log that gives the same state, whatever inputs come and whatever ticks they name', () => {
    fc.assert(
      fc.property(
        script(game.seats, inputs),
        fc.constantFrom(0, 1, 2, 6, 17, 60),
        fc.boolean(),
        (play, rewind, bot) => {
          const botSeats = bot ? [game.seats - 1] : []
          const { runner, heard } = run(game, { options, maxRewindTicks: rewind, botSeats })
          for (const act of play) {
            if ('steps' in act) for (let step = 0; step < act.steps; step++) runner.advance()
            else if (!botSeats.includes(act.seat)) {
              const at = act.away === null ? undefined : Math.max(0, runner.tick + act.away)
              const before = runner.log.map((change) => ({ ...change }))
              runner.input(act.seat, act.input, at)
              // Only what is within the rewinding has changed.
              const isOld = ({ tick }: InputChange) => tick < runner.tick - rewind
              expect(runner.log.filter(isOld)).toEqual(before.filter(isOld))
            }
            expect(replay(runner)).toBe(hashState(runner.state))
            expect(runner.inputs).toEqual(heldAfter(game, runner.log, runner.tick))
          }
          const { log } = runner
          for (const [index, { tick, seat }] of log.entries()) {
            expect(tick).toBeGreaterThanOrEqual(log[index - 1]?.tick ?? 0)
            expect(log.filter((other) => other.tick === tick && other.seat === seat)).toHaveLength(1)
          }
          // What was told is the log, each line of it once.
          const inOrder = heard.changes.toSorted(([tick, seat], [other, otherSeat]) => tick - other || seat - otherSeat)
          const logged = log.toSorted((one, other) => one.tick - other.tick || one.seat - other.seat)
          expect(inOrder).toEqual(logged.map(({ tick, seat, input }) => [tick, seat, input]))
          const { seed } = runner
          const changes = heard.changes.map(([tick, seat, input]) => ({ tick, seat, input }))
          const followed = simulate(game, { seed, options: runner.options, changes, ticks: runner.tick })
          expect(hashState(followed)).toBe(hashState(runner.state))
          for (const { tick, hash } of heard.keyframes) expect(hash).toBe(replay(runner, tick))
        },
      ),
      { numRuns: 300 },
    )
  })

  test('what is final stays as it is, and with the changes since gives the newest state', () => {
    fc.assert(
      fc.property(script(game.seats, inputs), fc.constantFrom(0, 1, 6, 13), (play, rewind) => {
        const { runner } = run(game, { options, maxRewindTicks: rewind })
        const kept: { tick: number; hash: number }[] = []
        for (const act of play) {
          if ('steps' in act) for (let step = 0; step < act.steps; step++) runner.advance()
          else runner.input(act.seat, act.input, act.away === null ? undefined : Math.max(0, runner.tick + act.away))
          const { tick, state, inputs: held } = runner.finalFrame
          expect(tick).toBeGreaterThanOrEqual(runner.tick - 2 * rewind)
          kept.push({ tick, hash: hashState(state) })
          const current = new HeldInputs<unknown>(game)
          held.forEach((input, seat) => {
            current.set(seat, input)
          })
          const copy = game.clone(state)
          const since = runner.log.filter((change) => change.tick >= tick)
          for (let at = tick; at < runner.tick; at++) {
            for (const change of since) if (change.tick === at) current.set(change.seat, change.input)
            game.step(copy, current.current)
          }
          expect(hashState(copy)).toBe(hashState(runner.state))
        }
        for (const { tick, hash } of kept) expect(hash).toBe(replay(runner, tick))
      }),
      { numRuns: 200 },
    )
  })

  test('packs its log and finds it again', () => {
    fc.assert(
      fc.property(script(game.seats, inputs), (play) => {
        const { runner } = run(game, { options })
        for (const act of play) {
          if ('steps' in act) for (let step = 0; step < act.steps * 40; step++) runner.advance()
          else runner.input(act.seat, act.input)
        }
        const packed: unknown = JSON.parse(JSON.stringify(packInputs(runner.log)))
        expect(unpackInputs(packed)).toEqual(runner.log)
      }),
      { numRuns: 50 },
    )
  })
})

describe('a match runner', () => {
  test('takes a late input for the tick that it names, and says so', () => {
    const { runner, heard } = run(pong)
    for (let tick = 0; tick < 100; tick++) runner.advance()
    runner.input(0, { move: 1 }, 95)
    expect(heard.changes).toEqual([[95, 0, { move: 1 }]])
    expect(runner.log).toEqual([{ tick: 95, seat: 0, input: { move: 1 } }])
    expect(replay(runner)).toBe(hashState(runner.state))
  })

  test('counts one that is too late from now', () => {
    const { runner, heard } = run(pong, { maxRewindTicks: 6 })
    for (let tick = 0; tick < 100; tick++) runner.advance()
    runner.input(0, { move: 1 }, 93)
    runner.input(1, { move: 1 }, 94)
    expect(heard.changes).toEqual([
      [100, 0, { move: 1 }],
      [94, 1, { move: 1 }],
    ])
  })

  test('rewinds nothing when that is turned off', () => {
    const { runner, heard } = run(pong, { maxRewindTicks: 0 })
    for (let tick = 0; tick < 100; tick++) runner.advance()
    runner.input(0, { move: 1 }, 99)
    expect(heard.changes).toEqual([[100, 0, { move: 1 }]])
  })

  test('does not say what changes nothing', () => {
    const { runner, heard } = run(pong)
    for (let tick = 0; tick < 50; tick++) runner.advance()
    runner.input(0, { move: 0 }, 47)
    runner.input(0, { move: 1 })
    runner.advance()
    runner.advance()
    runner.input(0, { move: 1 }, 51)
    expect(heard.changes).toEqual([[50, 0, { move: 1 }]])
  })

  test("keeps the order of a seat's inputs, and plans ahead", () => {
    const { runner, heard } = run(pong)
    for (let tick = 0; tick < 50; tick++) runner.advance()
    runner.input(0, { move: 1 }, 49)
    // Sent later, so it cannot come before what was sent first.
    runner.input(0, { move: -1 }, 45)
    runner.input(1, { move: 1 }, 53)
    for (let tick = 0; tick < 5; tick++) runner.advance()
    expect(heard.changes).toEqual([
      [49, 0, { move: 1 }],
      [50, 0, { move: -1 }],
      [53, 1, { move: 1 }],
    ])
    expect(replay(runner)).toBe(hashState(runner.state))
  })

  test('leaves what others were told as it is: an input for the same tick or before it counts from the next', () => {
    const { runner, heard } = run(recorder, { options: { length: 1 } })
    for (let tick = 0; tick < 50; tick++) runner.advance()
    runner.input(0, 1, 46)
    runner.input(0, 2, 46)
    runner.input(0, 3, 44)
    expect(heard.changes).toEqual([
      [46, 0, 1],
      [47, 0, 2],
      [48, 0, 3],
    ])
    runner.input(1, 1)
    // For the present tick, of which the others know already: of several the last, one a tick.
    for (const input of [2, 3, 4]) runner.input(1, input, 50)
    expect(heard.changes.slice(3)).toEqual([[50, 1, 1]])
    runner.advance()
    runner.advance()
    expect(heard.changes.slice(3)).toEqual([
      [50, 1, 1],
      [51, 1, 4],
    ])
    expect(replay(runner)).toBe(hashState(runner.state))
  })

  test('says how much later than named an input counts', () => {
    const { runner, heard } = run(recorder, { options: { length: 1 } })
    for (let tick = 0; tick < 50; tick++) runner.advance()
    runner.input(0, 1, 46)
    runner.input(0, 2, 46)
    runner.input(1, 1, 50)
    runner.input(1, 2, 48)
    runner.input(2, 1, 20)
    runner.advance()
    runner.advance()
    expect(heard.changes.map(([tick, seat], index) => [tick, seat, heard.moved[index]])).toEqual([
      [46, 0, 0],
      [47, 0, 1],
      [50, 1, 0],
      [50, 2, 30],
      [51, 1, 3],
    ])
  })

  test('forgets what was planned when a later input comes for an earlier tick', () => {
    const { runner, heard } = run(pong)
    runner.input(0, { move: 1 }, 1_000_000)
    runner.input(0, { move: -1 }, 3)
    for (let tick = 0; tick < 200; tick++) runner.advance()
    expect(heard.changes).toEqual([[3, 0, { move: -1 }]])
  })

  test('plans no further ahead than two seconds, and one input a tick at the most', () => {
    const { runner, heard } = run(pong)
    for (let count = 0; count < 10_000; count++) runner.input(0, { move: count % 2 === 0 ? 1 : -1 }, 1_000_000)
    for (let tick = 0; tick <= 120; tick++) runner.advance()
    expect(heard.changes).toEqual([[120, 0, { move: -1 }]])
  })

  test('lets go of a seat whose player has left, and of what they had planned', () => {
    const { runner, heard } = run(pong)
    runner.input(0, { move: 1 })
    runner.advance()
    runner.input(0, { move: -1 }, 10)
    runner.release(0)
    for (let tick = 0; tick < 20; tick++) runner.advance()
    expect(heard.changes.slice(1)).toEqual([[1, 0, { move: 0 }]])
  })

  test('says once a second what is final, as soon as it is', () => {
    for (const rewind of [0, 1, 6, 7, 60]) {
      const { runner, heard } = run(pong, { maxRewindTicks: rewind, options: { pointsToWin: 21 } })
      for (let tick = 0; tick < 600; tick++) runner.advance()
      expect(heard.keyframes.length).toBeGreaterThanOrEqual(8)
      expect(heard.keyframes.length).toBeLessThanOrEqual(10)
      for (const { at, tick } of heard.keyframes) expect(at - tick).toBe(rewind)
    }
  })

  test('says after each turn of a turn-based game what it came to', () => {
    const game: AnyGame = games['connect-four']
    const { runner, heard } = run(game, { options: { first: 0 } })
    runner.input(0, { column: 3 })
    runner.input(0, { column: 3 })
    runner.input(1, { column: null })
    runner.input(1, { column: 2 })
    expect(heard.changes).toEqual([
      [0, 0, { column: 3 }],
      [1, 1, { column: 2 }],
    ])
    expect(heard.keyframes.map(({ tick }) => tick)).toEqual([1, 2])
    expect(heard.keyframes.at(-1)?.hash).toBe(replay(runner))
  })

  test('a late input that ends the game ends it at once', () => {
    // Over as soon as somebody has done 3.
    const sudden: AnyGame = {
      ...recorder,
      step: (state: { ticks: number; sum: number }, inputs: readonly number[]) => {
        if (inputs.includes(3)) state.sum = -1
        state.ticks++
      },
      outcome: ({ sum }: { sum: number }) => (sum === -1 ? { placements: [1, 2, 2], scores: [1, 0, 0] } : null),
    }
    const { runner, heard } = run(sudden, { options: { length: 1 } })
    for (let tick = 0; tick < 50; tick++) runner.advance()
    runner.input(0, 3, 47)
    expect(heard.ends).toEqual([{ kind: 'outcome', outcome: { placements: [1, 2, 2], scores: [1, 0, 0] } }])
    expect(runner.tick).toBe(50)
  })

  test('a late input can end the game, but not undo its end', () => {
    // The ball of this seed flies past a paddle that never moves.
    const { runner, heard } = run(pong, { options: { pointsToWin: 1 }, maxRewindTicks: 60 })
    while (!runner.isOver) runner.advance()
    const before = hashState(runner.state)
    runner.input(0, { move: 1 }, runner.tick - 50)
    runner.input(1, { move: 1 }, runner.tick - 50)
    expect(hashState(runner.state)).toBe(before)
    expect(heard.ends).toHaveLength(1)
    expect(runner.finalFrame.tick).toBe(runner.tick)
  })
})

describe('the engine', () => {
  test('tells of steps only where somebody watches, and of start and keyframes', () => {
    const errors: unknown[] = []
    const engine = new Engine({ maxRewindMs: 100, onError: (error) => errors.push(error) })
    const told: string[] = []
    engine.listen({
      started: ({ matchId }) => told.push(`started ${matchId}`),
      stepped: ({ matchId }) => told.push(`stepped ${matchId}`),
      keyframe: (_: MatchRunner, { tick }: RunnerFrame) => {
        told.push(`keyframe ${tick}`)
        throw new Error('a listener fails')
      },
    })
    const setup = { game: pong, seed: 1, options: { pointsToWin: 3 }, botSeats: [] }
    const quiet = engine.start({ ...setup, matchId: 'quiet' })
    const watched = engine.start({ ...setup, matchId: 'watched' })
    watched.watched = true
    quiet.advance()
    watched.advance()
    for (let tick = 1; tick < 70; tick++) quiet.advance()
    engine.stop()
    expect(told).toEqual(['started quiet', 'started watched', 'stepped watched', 'keyframe 60'])
    expect(errors).toHaveLength(1)
    expect(quiet.tick).toBe(70)
  })
})
