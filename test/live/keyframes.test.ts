import { expect, test } from 'vitest'
import { z } from 'zod'
import { copyState, RewindFrames } from '../../src/engine/keyframes.ts'
import { defineGame } from '../../src/games/game.ts'
import { pong } from '../../src/games/pong/index.ts'

interface Shared {
  ticks: number
  /** Never changed in place, so that copies may share it. */
  trail: readonly number[]
}

const sharing = defineGame<Shared, null, object>({
  name: 'sharing',
  version: 1,
  seats: 1,
  tickRate: 60,
  options: z.object({}),
  input: z.null(),
  idle: null,
  init: () => ({ ticks: 0, trail: [] }),
  clone: (state) => ({ ...state }),
  step(state) {
    state.ticks++
    state.trail = [...state.trail, state.ticks]
  },
  outcome: () => null,
  bot: () => null,
  scores: () => [],
})

test('a flat state is copied into the memory of one that is given up', () => {
  const [used, from] = [1, 2].map((seed) => pong.init({ seed, options: pong.options.parse({}) }))
  expect(copyState(pong, used, from)).toBe(used)
  expect(used).toEqual(from)
  expect(used).not.toBe(from)
})

test.each([
  ['more keys', { ticks: 0, trail: 0, more: 0 }],
  ['other keys', { ticks: 0, tail: 0 }],
  ['no keys but places', [0, 0]],
])('a state is cloned where the old one has %s', (_, used) => {
  const from = { ticks: 3, trail: 0 }
  const copy = copyState({ ...sharing, clone: (state: object) => ({ ...state }) }, used, from)
  expect(copy).toEqual(from)
  expect(copy).not.toBe(used)
})

test('states that share an object do not change each other', () => {
  const state = sharing.init({ seed: 1, options: {} })
  const kept = new RewindFrames(sharing, state, [null])
  for (let tick = 1; tick <= 5; tick++) {
    sharing.step(state, [null])
    kept.keep(tick, state, [null])
  }
  expect(kept.newer).toEqual({ tick: 5, state: { ticks: 5, trail: [1, 2, 3, 4, 5] }, inputs: [null] })
  expect(kept.older).toEqual({ tick: 4, state: { ticks: 4, trail: [1, 2, 3, 4] }, inputs: [null] })
})
