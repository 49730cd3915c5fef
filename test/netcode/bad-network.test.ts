import { expect } from 'vitest'
import { hashState } from '../../src/games/hash.ts'
import { pong } from '../../src/games/pong/index.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { rallyTest } from '../support/rally-test.ts'
import { clientOf, createPong, next, patient, person, playPong, screen, untilStatus } from './players.ts'

const test = rallyTest({ config: patient })

/** A round trip of 150 ms with 30 ms of jitter, and a stall of 300 ms every 5 s. */
const BAD = { latencyMs: 60, jitterMs: 30, stallEveryMs: 5_000, stallMs: 300 }

test('a whole match over a bad network: own inputs at once, the same states and the same score everywhere', async ({
  rally,
  ada,
  ben,
}) => {
  await using first = await startFaultProxy(rally.app.port, BAD)
  await using second = await startFaultProxy(rally.app.port, BAD)
  const clients = [clientOf(first.url, ada), clientOf(second.url, ben)] as const
  const match = await createPong(clients[0], clients[1], 4)
  await using left = playPong(clients[0], match)
  await using right = playPong(clients[1], match)
  const both = [left, right] as const
  const confirmed = both.map((play) => {
    const hashes = new Map<number, number>()
    play.on('confirmed', ({ tick, hash }) => hashes.set(tick, hash))
    return hashes
  })
  await Promise.all(both.map((play) => untilStatus(play, 'live')))
  expect(both.map(({ seats }) => seats)).toEqual([[0], [1]])

  const ends = both.map((play) => next(play, 'end', 150_000))
  let presses = 0
  /** Just as a tick began: seen a millisecond later. */
  let onTheEdge = 0
  const unanswered: number[] = []
  await Promise.all(
    both.map((play, index) => {
      const seat = index === 0 ? 0 : 1
      const decide = person(seat, 4)
      const paddle = seat === 0 ? 'paddle0' : 'paddle1'
      const middle = (y: number) => y > 100 && y < 500
      let held = 0
      return screen(ends[index] ?? Promise.reject(new Error('nobody there')), (now) => {
        const state = play.frame(now)
        const input = state && decide(state, now)
        if (!state || !input || play.status !== 'live') return
        const isTold = play.input(input)
        const shown = play.frame(now)
        // At the very same moment: only the part of a tick since the last whole one can be seen already.
        if (isTold && shown && middle(state[paddle]) && state.pause === 0 && !pong.outcome(state)) {
          presses++
          const moved = shown[paddle] - state[paddle]
          if (Math.abs(moved) < 0.1) onTheEdge++
          else if (Math.sign(moved) !== Math.sign(input.move - held)) unanswered.push(presses)
        }
        held = input.move
      })
    }),
  )

  const [endOfLeft, endOfRight] = await Promise.all(ends)
  expect(presses).toBeGreaterThan(20)
  expect(unanswered).toEqual([])
  expect(onTheEdge).toBeLessThan(presses / 5)
  expect(endOfLeft?.outcome).toEqual(endOfRight?.outcome)
  expect(hashState(endOfLeft?.state)).toBe(hashState(endOfRight?.state))
  expect(both.map(({ figures }) => figures.desyncs)).toEqual([0, 0])
  const [ofLeft = new Map(), ofRight = new Map()] = confirmed
  const shared = [...ofLeft.keys()].filter((tick) => ofRight.has(tick))
  expect(shared.length).toBeGreaterThanOrEqual(5)
  for (const tick of shared) expect(ofLeft.get(tick), `tick ${tick}`).toBe(ofRight.get(tick))

  const { db } = await rally.database.open()
  const row = await db.match.findUniqueOrThrow({
    where: { id: match.id },
    include: { seats: { orderBy: { seat: 'asc' } } },
  })
  expect(row.status).toBe('finished')
  expect(row.placements).toEqual(endOfLeft?.outcome?.placements)
  expect(row.seats.map(({ score }) => score)).toEqual(endOfLeft?.outcome?.scores)
  expect(row.ticks).toBe(endOfLeft?.tick)

  for (const [name, { figures }] of [
    ['left', left],
    ['right', right],
  ] as const) {
    const round = (value: number) => Math.round(value * 10) / 10
    process.stdout.write(
      `netcode at 150 ms, 30 ms of jitter, a stall of 300 ms every 5 s, ${name}: ` +
        `rollback depth mean ${round(figures.meanRollbackDepth)} p99 ${figures.p99RollbackDepth} ticks; ` +
        `visible correction mean ${round(figures.meanCorrection)} p99 ${round(figures.p99Correction)} of 800 x 600 units; ` +
        `rtt ${round(figures.rttMs)} ms, jitter ${round(figures.jitterMs)} ms, ${figures.corrections} corrections in ${endOfLeft?.tick} ticks\n`,
    )
  }
  for (const client of clients) client.close()
}, 180_000)
