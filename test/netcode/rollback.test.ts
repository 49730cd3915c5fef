import { expect, test } from 'vitest'
import { Rollback } from '../../src/client/play/rollback.ts'
import { type PongInput, pong } from '../../src/games/pong/index.ts'

const UP: PongInput = { move: -1 }
const DOWN: PongInput = { move: 1 }
const IDLE: PongInput = { move: 0 }

function started() {
  const state = pong.init({ seed: 1, options: { pointsToWin: 3 } })
  const rollback = new Rollback(pong, { tick: 0, state, inputs: [IDLE, IDLE], changes: [] }, 180)
  rollback.advance(20)
  return rollback
}

test('an own input is expected to count after the last one that was told, as the server does it', () => {
  const rollback = started()
  expect(rollback.predict(10, 0, UP, 0)).toBe(10)
  // In the same tick the newest is what is meant; the first one is on its way all the same.
  expect(rollback.predict(10, 0, DOWN, 1)).toBe(10)
  expect(rollback.inputAt(10, 0)).toEqual(DOWN)
  expect(rollback.decide({ tick: 10, seat: 0, input: UP, moved: 0 })).toBeNull()
  expect([9, 10, 11].map((tick) => rollback.inputAt(tick, 0))).toEqual([IDLE, UP, DOWN])
  expect(rollback.decide({ tick: 11, seat: 0, input: DOWN, moved: 1 })).toMatchObject({ named: 10, input: DOWN })
  expect([9, 10, 11, 12].map((tick) => rollback.inputAt(tick, 0))).toEqual([IDLE, UP, DOWN, DOWN])
  expect(rollback.unansweredSince).toBe(Number.POSITIVE_INFINITY)
})
