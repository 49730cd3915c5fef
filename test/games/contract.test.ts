import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gameOf } from '../../src/games/game.ts'
import { hashState } from '../../src/games/hash.ts'
import { type GameName, games } from '../../src/games/index.ts'

/** Inputs that a test of any game can play with; a new game needs a line here. */
const INPUTS: Readonly<Record<GameName, readonly unknown[]>> = {
  pong: [{ move: -1 }, { move: 0 }, { move: 1 }],
  'connect-four': [0, 1, 2, 3, 4, 5, 6, null].map((column) => ({ column })),
}

const cases = Object.entries(INPUTS).map(([name, inputs]) => {
  const game = gameOf(games, name)
  if (!game) throw new Error(`${name} is not a game`)
  return [name, game, inputs] as const
})

test('a game is found by its own name alone', () => {
  expect(gameOf(games, 'pong')).toBe(games.pong)
  for (const name of ['', 'Pong', 'toString', '__proto__', 'constructor']) expect(gameOf(games, name)).toBe(undefined)
})

describe.each(cases)('%s', (name, game, inputs) => {
  const defaults = game.options.parse({})
  const play = fc.record({
    seed: fc.integer({ min: 0, max: 0xffff_ffff }),
    script: fc.array(fc.array(fc.constantFrom(...inputs), { minLength: game.seats, maxLength: game.seats }), {
      maxLength: 120,
    }),
  })

  test('is in the record under its own name, and idle and every input satisfy its schema', () => {
    expect(game.name).toBe(name)
    expect(game.input.parse(game.idle)).toEqual(game.idle)
    for (const input of inputs) expect(game.input.parse(input)).toEqual(input)
    for (const input of [null, {}, 'up', { move: 2 }, { move: 0.5 }, { column: 7 }, { column: -1 }, { column: 1.5 }]) {
      expect(game.input.safeParse(input).success).toBe(false)
    }
    expect(game.options.parse(defaults)).toEqual(defaults)
  })

  test('has states that are JSON, and goes on alike from one that went through it', () => {
    fc.assert(
      fc.property(play, fc.nat(120), ({ seed, script }, middle) => {
        let other = game.init({ seed, options: defaults })
        const state = game.init({ seed, options: defaults })
        script.forEach((step, tick) => {
          if (tick === middle) other = JSON.parse(JSON.stringify(other))
          game.step(state, step)
          game.step(other, step)
        })
        expect(other).toEqual(state)
        expect(game.state?.parse(state)).toEqual(state)
        expect(JSON.parse(JSON.stringify(state))).toEqual(state)
        expect(hashState(other)).toBe(hashState(state))
        expect(JSON.stringify(state).length).toBeLessThan(1024)
      }),
    )
  })

  test('has clones that share nothing with their original', () => {
    fc.assert(
      fc.property(play, ({ seed, script }) => {
        const state = game.init({ seed, options: defaults })
        for (const step of script.slice(0, 60)) game.step(state, step)
        const before = JSON.stringify(state)
        const clone = game.clone(state)
        expect(JSON.stringify(clone)).toBe(before)
        for (const step of script.slice(60)) game.step(clone, step)
        game.bot(clone, 0)
        expect(JSON.stringify(state)).toBe(before)
      }),
    )
  })

  test('neither keeps nor modifies inputs, and looking at a state does not change it', () => {
    const state = game.init({ seed: 5, options: defaults })
    const frozen = Object.freeze(Array.from({ length: game.seats }, () => Object.freeze(structuredClone(inputs[0]))))
    game.step(state, frozen)
    const before = JSON.stringify(state)
    expect(game.scores(state)).toHaveLength(game.seats)
    expect(game.outcome(state)).toBeNull()
    for (let seat = 0; seat < game.seats; seat++) {
      expect(game.bot(state, seat)).toEqual(game.bot(state, seat))
      game.input.parse(game.bot(state, seat))
    }
    expect(JSON.stringify(state)).toBe(before)
  })

  test('is finished by its bots within ten minutes, with an outcome that no step changes', () => {
    for (let seed = 0; seed < 12; seed++) {
      const state = game.init({ seed, options: defaults })
      const limit = (game.tickRate || 1) * 600
      let ticks = 0
      while (game.outcome(state) === null && ticks++ < limit) {
        game.step(
          state,
          Array.from({ length: game.seats }, (_, seat) => game.bot(state, seat)),
        )
      }
      const outcome = game.outcome(state)
      expect(outcome, `seed ${seed}`).not.toBeNull()
      expect(outcome?.scores).toEqual(game.scores(state))
      const end = JSON.stringify(state)
      for (const input of inputs) game.step(state, new Array(game.seats).fill(input))
      expect(JSON.stringify(state)).toBe(end)
      expect(game.outcome(state)).toEqual(outcome)
    }
  })

  test('begins otherwise with another seed', () => {
    const begin = (seed: number) => hashState(game.init({ seed, options: defaults }))
    expect(new Set(Array.from({ length: 100 }, (_, seed) => begin(seed))).size).toBe(100)
    expect(begin(0xffff_ffff)).toBe(begin(0xffff_ffff))
  })
})
