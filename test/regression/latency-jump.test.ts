import { expect, test } from 'vitest'
import { pong } from '../../src/games/pong/index.ts'
import { GOOD_LINK, VirtualMatch, VirtualTime } from '../netcode/virtual-match.ts'

const PERIOD_MS = 1000 / 60

/**
 * Answers were matched by their content, and a player who goes up and down sends the same inputs again and again. After a
 * jump in latency some answers were measured as 1,250 ms for a round trip of 400, others as 150.
 */
test.for([
  // Keyframes overtake inputs that are under way for so long, and their answers were not recognised any more.
  { latencyMs: 700, everyMs: 250 },
  ...[60, 120, 250, 600].map((everyMs) => ({ latencyMs: 200, everyMs })),
])(
  'after a jump in latency to $latencyMs ms, a change each $everyMs ms is played as far ahead as it takes',
  async ({ latencyMs, everyMs }) => {
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

    link.latencyMs = latencyMs
    link.jitterMs = 30
    const rightMs = 2 * latencyMs
    time.runUntil(time.now + 5_000 + rightMs)
    for (let second = 0; second < 15; second++) {
      time.runUntil(time.now + 1_000)
      const { rttMs, ticksAhead } = play.figures
      expect(rttMs).toBeGreaterThan(rightMs - 5)
      expect(rttMs).toBeLessThan(rightMs + 100)
      // Rewinding by at most 6 ticks makes up for the rest.
      expect(ticksAhead).toBeGreaterThan(rightMs / PERIOD_MS - 6)
      expect(ticksAhead).toBeLessThan((rightMs + 60) / PERIOD_MS + 4)
    }

    if (latencyMs > 200) return
    link.latencyMs = 20
    link.jitterMs = 5
    time.runUntil(time.now + 20_000)
    expect(play.figures.ticksAhead).toBeLessThan(100 / PERIOD_MS)
  },
)
