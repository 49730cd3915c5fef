import { expect, test } from 'vitest'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { MatchRunner } from '../../src/engine/match-runner.ts'
import { hashState } from '../../src/games/hash.ts'
import { games } from '../../src/games/index.ts'
import { DelayedView } from '../../src/modules/live/delayed-view.ts'
import { FramePublisher } from '../../src/modules/live/frame-publisher.ts'
import { defaultLimits } from '../../src/protocol/index.ts'
import { Hub } from '../../src/rpc/index.ts'
import { simulate } from '../support/simulate.ts'

const { pong } = games
const nobody = { started() {}, stepped() {}, changed() {}, keyframe() {}, ended() {} }

test('however short the delay, a view shows nothing that a late input can still change', () => {
  const fail = (error: unknown) => {
    throw error
  }
  const options = pong.options.parse({ pointsToWin: 21 })
  const setup = { matchId: 'm', game: pong, seed: 5, options, botSeats: [], maxRewindTicks: 6 }
  const runner = new MatchRunner(setup, nobody)
  const publisher = new FramePublisher(new Hub({ bus: createMemoryBus(fail), limits: defaultLimits }), 'm', 1, true)
  const view = new DelayedView({ runner, publisher, delayMs: 1, onDone: () => {}, onError: fail })
  for (let tick = 0; tick < 300; tick++) {
    runner.advance()
    if (tick % 10 === 0) runner.input(tick % 20 === 0 ? 0 : 1, { move: tick % 30 === 0 ? 1 : -1 }, runner.tick - 6)
    view.advance()
  }
  expect(view.frame.tick).toBe(runner.tick - 7)
  const changes = runner.log.map((change) => ({ ...change, input: pong.input.parse(change.input) }))
  const truth = simulate(pong, { seed: runner.seed, options, changes, ticks: view.frame.tick })
  expect(hashState(view.frame.state)).toBe(hashState(truth))
})
