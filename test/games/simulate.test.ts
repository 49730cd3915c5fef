import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineGame } from '../../src/games/game.ts'
import { hashState } from '../../src/games/hash.ts'
import { type PongInput, pong } from '../../src/games/pong/index.ts'
import { HeldInputs, type InputChange, isSameInput, Simulation } from '../../src/games/simulate.ts'
import { simulate } from '../support/simulate.ts'

type Letter = string

/** A game that writes down what each step was given: one string a step, `-` for idle. */
const recorder = (tickRate: number) =>
  defineGame<{ steps: string[] }, Letter, { prefix: string }>({
    name: 'recorder',
    version: 1,
    seats: 2,
    tickRate,
    options: z.object({ prefix: z.string() }),
    input: z.string(),
    idle: '-',
    init: ({ seed, options }) => ({ steps: [`${options.prefix}${seed}`] }),
    step: (state, inputs) => {
      state.steps.push(inputs.join(''))
    },
    outcome: () => null,
    clone: (state) => ({ steps: [...state.steps] }),
    bot: () => '-',
    scores: () => [0, 0],
  })

const log = (changes: InputChange<Letter>[], ticks: number) => ({ seed: 7, options: { prefix: 's' }, changes, ticks })

describe('an input log', () => {
  test('holds an input from its tick on until the next change', () => {
    const changes = [
      { tick: 1, seat: 0, input: 'a' },
      { tick: 3, seat: 1, input: 'b' },
      { tick: 4, seat: 0, input: '-' },
    ]
    expect(simulate(recorder(60), log(changes, 6)).steps).toEqual(['s7', '--', 'a-', 'a-', 'ab', '-b', '-b'])
  })

  test('gives an input of a turn-based game to one step alone', () => {
    const changes = [
      { tick: 0, seat: 0, input: 'a' },
      { tick: 1, seat: 1, input: 'b' },
      { tick: 3, seat: 0, input: 'c' },
    ]
    expect(simulate(recorder(0), log(changes, 5)).steps).toEqual(['s7', 'a-', '-b', '--', 'c-', '--'])
  })

  test('may come in any order; of two for one tick and seat the later counts', () => {
    const changes = [
      { tick: 2, seat: 0, input: 'c' },
      { tick: 0, seat: 0, input: 'a' },
      { tick: 0, seat: 0, input: 'b' },
    ]
    expect(simulate(recorder(60), log(changes, 3)).steps).toEqual(['s7', 'b-', 'b-', 'c-'])
  })

  test('does nothing at or after the end', () => {
    const changes = [{ tick: 2, seat: 0, input: 'a' }]
    expect(simulate(recorder(60), log(changes, 2)).steps).toEqual(['s7', '--', '--'])
    expect(simulate(recorder(60), log(changes, 0)).steps).toEqual(['s7'])
  })

  test('with a seat or tick that cannot be is refused', () => {
    const game = recorder(60)
    for (const [tick, seat] of [
      [0, 2],
      [0, -1],
      [0, 0.5],
      [-1, 0],
      [1.5, 0],
      [Number.NaN, 0],
    ] as const) {
      expect(() => new Simulation(game, log([{ tick, seat, input: 'a' }], 3))).toThrow(RangeError)
    }
    for (const ticks of [-1, 2.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => new Simulation(game, log([], ticks))).toThrow(RangeError)
    }
  })
})

describe('a simulation', () => {
  const changes = [
    { tick: 0, seat: 1, input: 'x' },
    { tick: 2, seat: 0, input: 'y' },
    { tick: 4, seat: 1, input: '-' },
  ]

  test('advances tick by tick up to its end', () => {
    const simulation = new Simulation(recorder(60), log(changes, 5))
    const seen: string[] = []
    expect(simulation.tick).toBe(0)
    while (simulation.tick < simulation.ticks) {
      expect(simulation.advance()).toBe(true)
      const announced = simulation.state.steps.at(-1)
      seen.push(`${simulation.tick}${announced}`)
    }
    expect(seen).toEqual(['1-x', '2-x', '3yx', '4yx', '5y-'])
    expect(simulation.advance()).toBe(false)
    expect(simulation.tick).toBe(5)
  })

  test('seeks back and forth to the state that advancing gives', () => {
    const straight = (ticks: number) => simulate(recorder(60), log(changes, ticks)).steps
    const simulation = new Simulation(recorder(60), log(changes, 6))
    for (const tick of [4, 2, 2, 0, 6, 5, 1]) {
      simulation.seek(tick)
      expect(simulation.tick).toBe(tick)
      expect(simulation.state.steps).toEqual(straight(tick))
    }
    simulation.seek(99)
    expect(simulation.tick).toBe(6)
    simulation.seek(-5)
    expect(simulation.tick).toBe(0)
    expect(simulation.state.steps).toEqual(['s7'])
    expect(() => simulation.seek(1.5)).toThrow(RangeError)
  })

  test('can start at a keyframe, with what the seats hold by then', () => {
    const keyframe = { tick: 3, state: { steps: ['k'] } }
    const simulation = new Simulation(recorder(60), log(changes, 6), keyframe)
    simulation.seek(6)
    expect(simulation.state.steps).toEqual(['k', 'yx', 'y-', 'y-'])
    simulation.seek(0)
    expect(simulation.tick).toBe(3)
    expect(simulation.state.steps).toEqual(['k'])
    expect(keyframe.state.steps).toEqual(['k'])
    expect(() => new Simulation(recorder(60), log(changes, 2), keyframe)).toThrow(RangeError)
  })

  test('started at a keyframe of a turn-based game does not repeat what came before', () => {
    const moves = [
      { tick: 0, seat: 0, input: 'a' },
      { tick: 2, seat: 1, input: 'b' },
    ]
    const simulation = new Simulation(recorder(0), log(moves, 3), { tick: 1, state: { steps: ['k'] } })
    simulation.seek(3)
    expect(simulation.state.steps).toEqual(['k', '--', '-b'])
  })

  test('of pong equals stepping by hand, and goes on alike from any tick of it', () => {
    const change = fc.record({
      tick: fc.nat(400),
      seat: fc.nat(1),
      input: fc.constantFrom<PongInput[]>({ move: -1 }, { move: 0 }, { move: 1 }),
    })
    fc.assert(
      fc.property(fc.nat(), fc.array(change, { maxLength: 40 }), fc.nat(400), (seed, changes, middle) => {
        const options = { pointsToWin: 2 }
        const state = pong.init({ seed, options })
        const inputs = [pong.idle, pong.idle]
        let keyframe = { tick: 0, state: pong.clone(state) }
        for (let tick = 0; tick < 400; tick++) {
          if (tick === middle) keyframe = { tick, state: pong.clone(state) }
          for (const { seat, input } of changes.filter((change) => change.tick === tick)) inputs[seat] = input
          pong.step(state, inputs)
        }
        const log = { seed, options, changes, ticks: 400 }
        expect(simulate(pong, log)).toEqual(state)
        const resumed = new Simulation(pong, log, keyframe)
        resumed.seek(400)
        expect(hashState(resumed.state)).toBe(hashState(state))
      }),
    )
  })
})

describe('held inputs', () => {
  test('say what is a change', () => {
    const held = new HeldInputs(pong)
    expect(held.current).toEqual([{ move: 0 }, { move: 0 }])
    expect(held.set(0, { move: 0 })).toBe(false)
    expect(held.set(0, { move: 1 })).toBe(true)
    expect(held.set(0, { move: 1 })).toBe(false)
    held.settle()
    expect(held.current).toEqual([{ move: 1 }, { move: 0 }])
    expect(held.set(0, { move: 0 })).toBe(true)
    expect(held.set(0, { move: 0 })).toBe(false)
    held.set(1, { move: -1 })
    held.reset()
    expect(held.current).toEqual([{ move: 0 }, { move: 0 }])
  })

  test('of a turn-based game take the same move again after a step', () => {
    const held = new HeldInputs(recorder(0))
    expect(held.set(1, 'a')).toBe(true)
    held.settle()
    expect(held.current).toEqual(['-', '-'])
    expect(held.set(1, 'a')).toBe(true)
  })

  test('refuse a seat that the game does not have', () => {
    const held = new HeldInputs(pong)
    for (const seat of [-1, 2, 0.5, Number.NaN]) expect(() => held.set(seat, { move: 1 })).toThrow(RangeError)
  })

  test('are compared by value', () => {
    expect(isSameInput({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(true)
    expect(isSameInput({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true)
    for (const [a, b] of [
      [{ a: 1 }, { a: 2 }],
      [{ a: 1 }, { b: 1 }],
      [{ a: undefined }, { b: undefined }],
      [{ a: 1 }, { a: 1, b: 1 }],
      [[1], { 0: 1 }],
      [[], null],
      ['1', 1],
    ]) {
      expect(isSameInput(a, b)).toBe(false)
    }
  })
})
