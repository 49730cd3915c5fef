import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Play } from '../../src/client/play/index.ts'
import { hashState } from '../../src/games/hash.ts'
import { type PongInput, type PongState, pong } from '../../src/games/pong/index.ts'
import { Simulation } from '../../src/games/simulate.ts'
import { simulate } from '../support/simulate.ts'
import { GOOD_LINK, type Link, VirtualMatch, VirtualTime } from './virtual-match.ts'

const SMOOTH = { paddle0: 600, paddle1: 600, ballX: 200, ballY: 200 }
const MOVES: readonly PongInput[] = [{ move: -1 }, { move: 0 }, { move: 1 }]
/** A round trip of 150 ms with 30 ms of jitter and a stall of 300 ms every 5 s. */
const BAD_LINK: Link = { latencyMs: 60, jitterMs: 30, stallEveryMs: 5_000, stallMs: 300 }

type PongPlay = Play<PongState, PongInput>

function pongMatch(seed: number, options: { pointsToWin?: number; maxRewindMs?: number } = {}) {
  const { pointsToWin = 1_000, maxRewindMs = 100 } = options
  const time = new VirtualTime(seed)
  return { time, match: new VirtualMatch({ game: pong, options: { pointsToWin }, time, maxRewindMs }) }
}

/** `subscribe` is called once the caller has the play. */
async function joined(): Promise<void> {
  await new Promise(setImmediate)
}

/** Presses something else about `perSecond` times a second. */
function press(time: VirtualTime, play: PongPlay, perSecond: number, until: () => boolean): void {
  const again = () => {
    if (until()) return
    play.input(MOVES[Math.floor(time.random() * 3)] ?? { move: 0 })
    time.at(time.now + (0.2 + 1.6 * time.random()) * (1000 / perSecond), again)
  }
  time.at(time.now, again)
}

/** Draws sixty times a second, and hands each state to `look`. */
function draw(time: VirtualTime, play: PongPlay, until: () => boolean, look: (state: PongState) => void = () => {}) {
  time.every(1000 / 60, () => {
    const state = play.state
    if (state) look(state)
    return !until()
  })
}

describe('the confirmed state', () => {
  test('is the server’s, however frames come, through jitter, stalls and cuts', async () => {
    const link = fc.record({
      latencyMs: fc.integer({ min: 0, max: 250 }),
      jitterMs: fc.integer({ min: 0, max: 120 }),
      stallEveryMs: fc.constantFrom(0, 700, 2_000),
      stallMs: fc.integer({ min: 50, max: 600 }),
    })
    const scenario = fc.record({
      seed: fc.integer({ min: 0, max: 2 ** 31 }),
      links: fc.tuple(link, link),
      maxRewindMs: fc.constantFrom(0, 50, 100, 300),
      cuts: fc.array(fc.record({ at: fc.integer({ min: 100, max: 11_000 }), ms: fc.integer({ min: 1, max: 2_500 }) }), {
        maxLength: 4,
      }),
      perSecond: fc.integer({ min: 1, max: 25 }),
      drawn: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(scenario, async ({ seed, links, maxRewindMs, cuts, perSecond, drawn }) => {
        const { time, match } = pongMatch(seed, { pointsToWin: 3, maxRewindMs })
        const both = links.map((link, seat) => match.join(link, { seats: [seat], smooth: SMOOTH }))
        const watcher = match.join(links[0], { seats: [], smooth: SMOOTH })
        await joined()
        const everybody = [...both, watcher]
        const confirmed: { tick: number; hash: number }[] = []
        let mostKept = 0
        for (const { play } of everybody) {
          play.on('confirmed', ({ tick, hash }) => confirmed.push({ tick, hash }))
          if (drawn)
            draw(
              time,
              play,
              () => match.isOver,
              () => {
                mostKept = Math.max(mostKept, play.figures.statesKept)
              },
            )
        }
        for (const { play } of both) press(time, play, perSecond, () => match.isOver)
        for (const { at, ms } of cuts) time.at(time.now + at, () => both[at % 2]?.client.cut(ms))
        match.start()
        time.runUntil(time.now + 12_000)
        const endAt = time.now + 240_000
        while (!match.isOver && time.now < endAt) time.runUntil(time.now + 1_000)
        time.runUntil(time.now + 5_000)

        expect(match.isOver).toBe(true)
        expect(confirmed.length).toBeGreaterThan(3)
        expect(mostKept).toBeLessThanOrEqual(3 * 60 + 1)
        const truth = new Simulation(pong, match.log)
        for (const { tick, hash } of confirmed.toSorted((a, b) => a.tick - b.tick)) {
          truth.seek(tick)
          expect({ tick, hash }).toEqual({ tick, hash: hashState(truth.state) })
        }
        const last = hashState(simulate(pong, match.log))
        for (const { play } of everybody) {
          expect(play.status).toBe('finished')
          expect(play.confirmed?.tick).toBe(match.runner.tick)
          expect(hashState(play.confirmed?.state)).toBe(last)
          expect(play.figures.desyncs).toBe(0)
          expect(hashState(play.state)).toBe(last)
        }
      }),
      { numRuns: 40 },
    )
  }, 120_000)
})

describe('an input that the server would refuse', () => {
  test('is neither predicted nor sent: of another seat, or none of the game', async () => {
    const { time, match } = pongMatch(8)
    const { play, client } = match.join(GOOD_LINK, { seats: [0], smooth: SMOOTH })
    // Before it is known which seats are played here, which is at once where they are named.
    expect(play.input({ move: 1 }, 1)).toBe(false)
    await joined()
    match.start()
    time.runUntil(time.now + 1_000)
    const before = play.state?.paddle1
    expect(play.input({ move: 1 }, 1)).toBe(false)
    const unheardOf: { move: 0 } = JSON.parse('{ "move": 9 }')
    expect(() => play.input(unheardOf)).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }))
    draw(time, play, () => false)
    time.runUntil(time.now + 3_000)
    expect(client.sent).toBe(0)
    expect(play.state?.paddle1).toBe(before)
    expect(play.figures.corrections).toBe(0)
  })
})

describe('the figures', () => {
  test('are of now, whoever draws or does not', async () => {
    const { time, match } = pongMatch(9)
    const { play } = match.join(BAD_LINK, { seats: [0], smooth: SMOOTH })
    await joined()
    match.start()
    time.runUntil(time.now + 3_000)
    expect(play.figures.ticksAhead).toBeGreaterThan(0)
  })
})

describe('the own input', () => {
  test('shows in the frame of the key press, whatever the network does', async () => {
    const { time, match } = pongMatch(1)
    const { play } = match.join(BAD_LINK, { seats: [0], smooth: SMOOTH })
    match.join(BAD_LINK, { seats: [1] })
    await joined()
    match.start()
    time.runUntil(time.now + 3_000)
    for (let pressed = 0; pressed < 200; pressed++) {
      // Somewhere between two frames of the screen, and between two ticks.
      time.runUntil(time.now + 16 * time.random())
      const without = play.state?.paddle0 ?? 0
      const move = pressed % 2 === 0 ? -1 : 1
      expect(play.input({ move })).toBe(true)
      const shown = play.state?.paddle0 ?? 0
      expect(Math.sign(shown - without), `press ${pressed}`).toBe(move)
      time.runUntil(time.now + 150 + 100 * time.random())
    }
  })

  test('reaches the server for the tick it was meant for, also when the network gets slower or faster', async () => {
    const { time, match } = pongMatch(2, { maxRewindMs: 0 })
    const link: Link = { ...GOOD_LINK, latencyMs: 20, jitterMs: 8 }
    const { play } = match.join(link, { seats: [0], smooth: SMOOTH })
    await joined()
    let seen = 0
    let wrong = 0
    play.on('correction', ({ distance }) => {
      if (distance > 0) wrong++
    })
    draw(
      time,
      play,
      () => match.isOver,
      () => seen++,
    )
    press(time, play, 4, () => match.isOver)
    match.start()
    time.runUntil(time.now + 10_000)
    for (const latencyMs of [120, 15, 200]) {
      link.latencyMs = latencyMs
      // Time to find out.
      time.runUntil(time.now + 20_000)
      wrong = 0
      time.runUntil(time.now + 10_000)
      // Forty inputs; of those a few may be late by a tick, which is how a faster network is found out.
      expect(wrong, `at ${latencyMs} ms`).toBeLessThan(16)
      expect(play.figures.rttMs).toBeGreaterThan(latencyMs)
      expect(play.figures.rttMs).toBeLessThan(2 * latencyMs + 60)
    }
    expect(seen).toBeGreaterThan(1_000)
  })

  test('is not meant for a far future after the server stood still', async () => {
    const { time, match } = pongMatch(8)
    const { play } = match.join({ ...GOOD_LINK, latencyMs: 30 }, { seats: [0] })
    await joined()
    draw(time, play, () => match.isOver)
    match.start()
    time.runUntil(time.now + 5_000)
    match.pause(1_500)
    time.runUntil(time.now + 4_500)
    play.input({ move: 1 })
    time.runUntil(time.now + 150)
    expect(match.runner.inputs).toEqual([{ move: 1 }, { move: 0 }])
    expect(play.figures.ticksAhead).toBeLessThan(10)
  })

  test('that was held before the match began, or through a lost connection, is said then', async () => {
    const { time, match } = pongMatch(3)
    const { play, client } = match.join({ ...GOOD_LINK, latencyMs: 30 }, { seats: [1] })
    await joined()
    time.runUntil(time.now + 200)
    expect(play.status).toBe('waiting')
    expect(play.input({ move: 1 })).toBe(false)
    match.start()
    time.runUntil(time.now + 500)
    expect(match.runner.inputs).toEqual([{ move: 0 }, { move: 1 }])

    client.cut(400)
    match.runner.release(1)
    play.input({ move: -1 })
    expect(play.status).toBe('connecting')
    time.runUntil(time.now + 900)
    expect(play.status).toBe('live')
    expect(match.runner.inputs).toEqual([{ move: 0 }, { move: -1 }])
  })
})

describe('what is drawn', () => {
  test('goes from the wrong to the right in steps, and own movement does not suffer', async () => {
    const { time, match } = pongMatch(4)
    const link: Link = { ...GOOD_LINK, latencyMs: 100 }
    const mine = match.join(link, { seats: [0], smooth: SMOOTH })
    const theirs = match.join(link, { seats: [1], smooth: SMOOTH })
    await joined()
    const jumps: number[] = []
    let last: PongState | null = null
    draw(
      time,
      mine.play,
      () => match.isOver,
      (state) => {
        if (last) jumps.push(Math.abs(state.paddle1 - last.paddle1))
        last = state
      },
    )
    draw(time, theirs.play, () => match.isOver)
    press(time, theirs.play, 4, () => match.isOver)
    match.start()
    time.runUntil(time.now + 20_000)
    const { p99Correction, meanRollbackDepth } = mine.play.figures
    // A paddle that turned 200 ms ago is shown a dozen ticks of 8 units, or twice that, from where it is.
    expect(meanRollbackDepth).toBeGreaterThan(8)
    expect(p99Correction).toBeGreaterThan(80)
    expect(Math.max(...jumps)).toBeLessThan(60)
  })

  test('to a spectator is never corrected', async () => {
    const { time, match } = pongMatch(5)
    const both = [0, 1].map((seat) => match.join(BAD_LINK, { seats: [seat] }))
    const { play } = match.join({ ...GOOD_LINK, latencyMs: 40, jitterMs: 20 }, { seats: [], smooth: SMOOTH })
    await joined()
    for (const each of both) press(time, each.play, 4, () => match.isOver)
    draw(time, play, () => match.isOver)
    match.start()
    // Within this time it learns how late inputs can be.
    time.runUntil(time.now + 10_000)
    const before = play.figures.corrections
    time.runUntil(time.now + 30_000)
    expect(play.figures.corrections - before).toBeLessThanOrEqual(2)
    expect(play.figures.ticksAhead).toBeLessThan(0)
  })

  test('is a state of its own, and costs nothing while nobody looks', async () => {
    const { time, match } = pongMatch(6)
    const { play } = match.join(GOOD_LINK, { seats: [0], smooth: SMOOTH })
    await joined()
    match.start()
    time.runUntil(time.now + 1_500)
    const state = play.state
    if (state) state.ballX = -1_000
    expect(play.state?.ballX).toBeGreaterThan(0)
    // A page in the background draws nothing for minutes: only final states are computed.
    time.runUntil(time.now + 300_000)
    expect(play.figures.statesKept).toBeLessThanOrEqual(3 * 60 + 1)
    expect(play.status === 'finished' || (play.confirmed?.tick ?? 0) > match.runner.tick - 90).toBe(true)
  })
})

describe('a divergence', () => {
  test('is found by the next keyframe and healed by one snapshot', async () => {
    const { time, match } = pongMatch(7)
    const { play, client } = match.join({ ...GOOD_LINK, latencyMs: 25 }, { seats: [0], smooth: SMOOTH })
    await joined()
    const desyncs: number[] = []
    play.on('desync', ({ tick }) => desyncs.push(tick))
    draw(time, play, () => match.isOver)
    match.start()
    time.runUntil(time.now + 2_500)
    expect(client.snapshots).toBe(1)

    // One input is turned into another on its way, as a faulty build would do it.
    match.tamper = (frame) => {
      if (((frame[0] ?? 0) & 3) === 0) frame[2] = (frame[2] ?? 0) ^ 3
      return frame
    }
    match.runner.input(1, { move: 1 })
    match.tamper = (frame) => frame
    time.runUntil(time.now + 1_500)
    expect(desyncs).toHaveLength(1)
    // The timer that heals is a real one.
    await new Promise((resolve) => setTimeout(resolve, 5))
    time.runUntil(time.now + 3_000)
    expect(client.snapshots).toBe(2)
    expect(play.figures.desyncs).toBe(1)
    expect(play.confirmed?.state.paddle1).toBeGreaterThan(300)
  })
})
