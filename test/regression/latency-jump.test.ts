import { expect, test } from 'vitest'
import { pong } from '../../src/games/pong/index.ts'
import { GOOD_LINK, VirtualMatch, VirtualTime } from '../netcode/virtual-match.ts'

const PERIOD_MS = 1000 / 60

/**
 * Answers were told apart by what they say, and somebody who goes up and down says the same again and again: after a
 * jump in latency some took 1,250 ms for a round trip of 400, others 150.
 */
test.for([60, 120, 250, 600])(
  'after a jump in latency, a change each %i ms is played as far ahead as it takes',
  async (everyMs) => {
    const time = new VirtualTime(3)
    const match = new VirtualMatch({ game: pong, options: { pointsToWin: 1_000 }, time })
    const link = { ...GOOD_LINK }
    const { play } = match.join(link, { seats: [0] })
    match.join({ ...GOOD_LINK }, { seats: [1] })
    // `subscribe` is called once the caller has the play.
    await new Promise(setImmediate)
    match.start()
    time.every(PERIOD_MS, () => play.state !== null)
    let isUp = false
    const press = () => {
      isUp = !isUp
      play.input({ move: isUp ? -1 : 1 })
      time.at(time.now + everyMs * (0.7 + 0.6 * time.random()), press)
    }
    press()
    time.runUntil(time.now + 3_000)

    link.latencyMs = 200
    link.jitterMs = 30
    time.runUntil(time.now + 5_000)
    for (let second = 0; second < 15; second++) {
      time.runUntil(time.now + 1_000)
      const { rttMs, ticksAhead } = play.figures
      expect(rttMs).toBeGreaterThan(395)
      expect(rttMs).toBeLessThan(500)
      // Rewinding makes good what is missing.
      expect(ticksAhead).toBeGreaterThan(400 / PERIOD_MS - 4)
      expect(ticksAhead).toBeLessThan(460 / PERIOD_MS + 4)
    }

    link.latencyMs = 20
    link.jitterMs = 5
    time.runUntil(time.now + 20_000)
    expect(play.figures.ticksAhead).toBeLessThan(100 / PERIOD_MS)
  },
)
