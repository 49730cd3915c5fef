import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { defineGame } from '../../src/games/game.ts'
import { games } from '../../src/games/index.ts'
import { FramePublisher } from '../../src/modules/live/frame-publisher.ts'
import { StreamNumbers } from '../../src/modules/live/live-matches.ts'
import { defaultLimits } from '../../src/protocol/index.ts'
import { decodeLiveFrame } from '../../src/protocol/live-frames.ts'
import { Hub } from '../../src/rpc/index.ts'

/** Its inputs are in no table. */
const writer = defineGame<{ text: string }, string, object>({
  name: 'writer',
  version: 1,
  seats: 16,
  tickRate: 10,
  options: z.object({}),
  input: z.string(),
  idle: '',
  init: () => ({ text: '' }),
  step: () => {},
  outcome: () => null,
  clone: (state) => ({ ...state }),
  bot: () => '',
  scores: () => [],
})

function rig() {
  const bus = createMemoryBus((error) => {
    throw error
  })
  const hub = new Hub({ bus, limits: defaultLimits })
  const publisher = new FramePublisher(hub, 'm', 5, false)
  const sent: { seq: number; frame: unknown }[] = []
  const listenTo = ({ name }: { name: string }) =>
    bus.subscribe(name, ({ seq, payload }) => {
      sent.push({ seq, frame: typeof payload === 'string' ? JSON.parse(payload) : decodeLiveFrame(payload) })
    })
  return { publisher, sent, listenTo, listen: () => listenTo(publisher.inputs) }
}

describe('a publisher', () => {
  test('is sent inputs that no table has as JSON', () => {
    const { publisher, sent, listen } = rig()
    listen()
    publisher.change(writer, 300, 15, 'hällo')
    expect(sent).toEqual([
      { seq: 300, frame: { kind: 'json', moved: 0, stream: 5, tickByte: 44, seat: 15, input: 'hällo' } },
    ])
  })

  test('gets frames whose numbers only grow, though their ticks go back', () => {
    const { publisher, sent, listen } = rig()
    listen()
    for (const tick of [10, 10, 8, 11, 200, 199]) publisher.change(games.pong, tick, 0, { move: 1 })
    publisher.keyframe({ tick: 180, state: { a: 1 } })
    expect(sent.map(({ seq }) => seq)).toEqual([10, 11, 12, 13, 200, 201, 202])
    expect(publisher.seq).toBe(202)
  })

  test('is sent a state that is encoded once a tick, whatever the rates', () => {
    const { publisher, sent, listenTo } = rig()
    let encoded = 0
    const state = {
      toJSON() {
        encoded++
        return { ball: 1 }
      },
    }
    const frame = { tick: 0, state, status: 'waiting' as const }
    for (const rate of [60, 30, 20, 15, 10, 5, 1] as const) listenTo(publisher.states(rate, frame))
    encoded = 0
    publisher.step({ tick: 60, state }, 60)
    expect(sent).toHaveLength(7)
    expect(encoded).toBe(1)
    expect(sent[0]).toEqual({
      seq: 60,
      frame: {
        type: 'live.onState',
        eid: 'live.onState/m/state/60',
        ts: expect.any(Number),
        seq: 60,
        data: { tick: 60, state: { ball: 1 }, status: 'live' },
      },
    })
  })

  test('is sent large states less often', () => {
    const { publisher, sent, listenTo } = rig()
    const state = { text: 'x'.repeat(100 * 1024) }
    for (const rate of [60, 5] as const) listenTo(publisher.states(rate, { tick: 0, state, status: 'live' }))
    for (let tick = 1; tick <= 600; tick++) publisher.step({ tick, state }, 60)
    // 256 KiB a second are 2.5 of them; of five a second every second one.
    const ofRate = (rate: number) => sent.filter(({ frame }) => JSON.stringify(frame).includes(`/state/${rate}"`))
    expect(ofRate(60)).toHaveLength(25)
    expect(ofRate(5)).toHaveLength(25)
  })

  test('costs nothing while nobody listens', () => {
    const { publisher, sent, listen } = rig()
    publisher.change(games.pong, 10, 0, { move: 1 })
    publisher.keyframe({ tick: 10, state: {} })
    expect(publisher.seq).toBe(0)
    expect(publisher.isFollowed).toBe(false)
    listen()
    expect(publisher.isFollowed).toBe(true)
    expect(sent).toEqual([])
  })
})

describe('stream numbers', () => {
  test('are the smallest that are free, and rest a while before they come again', () => {
    const streams = new StreamNumbers<string>()
    expect(['a', 'b', 'c'].map((match) => streams.add(match, 0))).toEqual([0, 1, 2])
    streams.delete(1, 1_000)
    expect(streams.get(1)).toBeUndefined()
    expect(streams.add('d', 2_000)).toBe(3)
    expect(streams.add('e', 6_000)).toBe(1)
    expect(streams.get(1)).toBe('e')
    expect(streams.add('f', 6_000)).toBe(4)
    streams.delete(0, 6_000)
    streams.delete(0, 9_000)
    expect(streams.add('g', 11_000)).toBe(0)
    expect(streams.add('h', 11_000)).toBe(5)
  })

  test('are never two matches at once', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.record({ add: fc.nat(3_000) }), fc.record({ drop: fc.nat(20) }))), (acts) => {
        const streams = new StreamNumbers<number>()
        const held = new Map<number, number>()
        const freed = new Map<number, number>()
        let now = 0
        let match = 0
        for (const act of acts) {
          if ('add' in act) {
            now += act.add
            const stream = streams.add(match, now)
            expect(held.has(stream)).toBe(false)
            // Every smaller one is taken or rests.
            for (let smaller = 0; smaller < stream; smaller++) {
              expect(held.has(smaller) || now - (freed.get(smaller) ?? -5_000) < 5_000).toBe(true)
            }
            held.set(stream, match++)
          } else if (held.delete(act.drop)) {
            streams.delete(act.drop, now)
            freed.set(act.drop, now)
          }
          for (const [stream, one] of held) expect(streams.get(stream)).toBe(one)
        }
      }),
    )
  })
})
