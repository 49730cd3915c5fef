import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineGame } from '../../src/games/game.ts'

const countdown = {
  name: 'countdown',
  seats: 3,
  tickRate: 1,
  options: z.object({ from: z.number().default(2) }),
  input: z.null(),
  idle: null,
  init: ({ options }: { options: { from: number } }) => ({ left: options.from }),
  step: (state: { left: number }) => {
    state.left--
  },
  outcome: ({ left }: { left: number }) => (left > 0 ? null : { placements: [3, 1, 2], scores: [0, 5, 2] }),
  clone: (state: { left: number }) => ({ ...state }),
  bot: () => null,
}

test('a game that says no version is of version 1, and its scores are 0 until its outcome says them', () => {
  const game = defineGame(countdown)
  expect(game.version).toBe(1)
  const state = game.init({ seed: 1, options: { from: 2 } })
  expect(game.scores(state)).toEqual([0, 0, 0])
  game.step(state, [null, null, null])
  expect(game.scores(state)).toEqual([0, 0, 0])
  game.step(state, [null, null, null])
  expect(game.scores(state)).toEqual([0, 5, 2])
})

test('what a game says itself counts', () => {
  const game = defineGame({ ...countdown, version: 4, scores: ({ left }) => [left, left, left] })
  expect(game.version).toBe(4)
  expect(game.scores({ left: 7 })).toEqual([7, 7, 7])
})

test('what no match could have is refused where the game is defined', () => {
  for (const seats of [0, -1, 1.5, 17, 256, Number.NaN]) {
    expect(() => defineGame({ ...countdown, seats }), `${seats} seats`).toThrow(RangeError)
  }
  for (const tickRate of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => defineGame({ ...countdown, tickRate }), `tick rate ${tickRate}`).toThrow(RangeError)
  }
  const inputs = (length: number) => Array.from({ length }, () => null)
  expect(() => defineGame({ ...countdown, inputs: inputs(17) })).toThrow('countdown has a table of 17 inputs')
  expect(defineGame({ ...countdown, seats: 16, inputs: inputs(16) }).seats).toBe(16)
})
