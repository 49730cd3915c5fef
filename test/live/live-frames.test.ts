import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnyGame } from '../../src/games/game.ts'
import { games } from '../../src/games/index.ts'
import { indexOfInput } from '../../src/games/input-table.ts'
import {
  decodeLiveFrame,
  encodeEnd,
  encodeInput,
  encodeJsonInput,
  encodeKeyframe,
  MAX_CODED_INPUTS,
  MAX_CODED_SEATS,
  MAX_INPUT_LENGTH,
  MAX_STREAM,
  resolveTick,
  streamOf,
} from '../../src/protocol/live-frames.ts'

const stream = fc.oneof(fc.nat(40), fc.nat(5000), fc.nat(MAX_STREAM))
const tick = fc.oneof(fc.nat(300), fc.nat(216_000), fc.nat(0xffff_ffff))
/** Not filtered: where most values are too long that takes for ever. */
const jsonInput = fc.jsonValue().map((value) => (JSON.stringify(value).length <= MAX_INPUT_LENGTH ? value : 'long'))
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('live frames', () => {
  test('are these bytes', () => {
    expect(hex(encodeInput(3, 0x1234, 1, 2))).toBe('0c3412')
    expect(hex(encodeInput(40, 5, 15, 15))).toBe('a00105ff')
    expect(hex(encodeInput(0, 75, 0, 1, 9))).toBe('004b0109')
    expect(hex(encodeInput(0, 75, 0, 1, 1000))).toBe('004b01ff')
    expect(hex(encodeJsonInput(0, 300, 17, { a: 1 }))).toBe('012c11007b2261223a317d')
    expect(hex(encodeJsonInput(0, 300, 17, 1, 300))).toBe('012c11ff31')
    expect(hex(encodeKeyframe(1, 300, 0x89abcdef))).toBe('06ac02efcdab89')
    expect(hex(encodeEnd(31, 70_000, 'finished'))).toBe('7ff0a20401')
    expect(hex(encodeEnd(31, 0, 'aborted'))).toBe('7f0002')
  })

  test('have a header of one byte for 32 matches, of two for 4096', () => {
    const size = (stream: number) => encodeInput(stream, 0, 0, 0).length - 2
    expect([0, 31, 32, 4095, 4096].map(size)).toEqual([1, 1, 2, 2, 3])
  })

  test('an input comes out as it went in', () => {
    fc.assert(
      fc.property(
        stream,
        tick,
        fc.nat(MAX_CODED_SEATS - 1),
        fc.nat(MAX_CODED_INPUTS - 1),
        fc.nat(255),
        (stream, tick, seat, index, moved) => {
          const bytes = encodeInput(stream, tick, seat, index, moved)
          expect(decodeLiveFrame(bytes)).toEqual({ kind: 'input', stream, tickByte: tick % 256, seat, index, moved })
          expect(streamOf(bytes)).toBe(stream)
        },
      ),
    )
  })

  test('a JSON input, a keyframe and an end come out as they went in', () => {
    fc.assert(
      fc.property(stream, tick, fc.nat(255), jsonInput, fc.nat(0xffff_ffff), (stream, tick, seat, value, hash) => {
        const input: unknown = JSON.parse(JSON.stringify(value))
        expect(decodeLiveFrame(encodeJsonInput(stream, tick, seat, input))).toEqual({
          kind: 'json',
          stream,
          tickByte: tick % 256,
          seat,
          moved: 0,
          input,
        })
        expect(decodeLiveFrame(encodeKeyframe(stream, tick, hash))).toEqual({ kind: 'keyframe', stream, tick, hash })
        for (const status of ['finished', 'aborted'] as const) {
          expect(decodeLiveFrame(encodeEnd(stream, tick, status))).toEqual({ kind: 'end', stream, tick, status })
        }
      }),
    )
  })

  test('a JSON input of more characters than allowed is no frame, whatever they are', () => {
    const frame = (json: string) => Buffer.concat([Buffer.from('01050000', 'hex'), Buffer.from(json)])
    const longest = JSON.stringify('é'.repeat(MAX_INPUT_LENGTH - 2))
    expect(decodeLiveFrame(frame(longest))).toMatchObject({ kind: 'json', input: JSON.parse(longest) })
    for (const json of [JSON.stringify('é'.repeat(MAX_INPUT_LENGTH - 1)), `1${' '.repeat(MAX_INPUT_LENGTH)}`]) {
      expect(decodeLiveFrame(frame(json))).toBeNull()
    }
  })

  test('rubbish is no frame, and does not throw', () => {
    const rubbish = [
      '',
      '00',
      '0005',
      '80',
      '8000',
      '808080808000',
      'ffffffffff',
      'ffffffff1f00',
      '010500',
      '01050000',
      '01050000ff',
      '010500007b',
      '00050000',
      '0005000101',
      '02',
      '0205',
      '0205aabbcc',
      '0205aabbccddee',
      '03',
      '0305',
      '030500',
      '030503',
      '03050101',
      '0280',
    ]
    for (const bytes of rubbish.filter((one) => one !== '0005')) {
      expect(decodeLiveFrame(Buffer.from(bytes, 'hex')), bytes).toBeNull()
    }
    expect(decodeLiveFrame(Buffer.from('0005', 'hex')), 'no entry').toBeNull()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const frame = decodeLiveFrame(bytes)
        // What is a frame has this one encoding.
        if (frame?.kind === 'keyframe') expect(encodeKeyframe(frame.stream, frame.tick, frame.hash)).toEqual(bytes)
        if (frame?.kind === 'end') expect(encodeEnd(frame.stream, frame.tick, frame.status)).toEqual(bytes)
      }),
      { numRuns: 5000 },
    )
  })

  test('a tick is known by its last byte within 128 ticks', () => {
    fc.assert(
      fc.property(fc.nat(216_000), fc.integer({ min: -128, max: 127 }), (near, distance) => {
        const tick = near + distance
        if (tick >= 0) expect(resolveTick(tick % 256, near)).toBe(tick)
        expect(resolveTick(near % 256, near)).toBe(near)
      }),
    )
    expect(resolveTick(255, 0)).toBe(255)
  })
})

describe.each(Object.entries<AnyGame>(games))('the table of inputs of %s', (_, game) => {
  test('fits a byte, has no input twice, and holds what the schema takes', () => {
    const { inputs = [], seats } = game
    expect(inputs.length).toBeLessThanOrEqual(MAX_CODED_INPUTS)
    expect(seats).toBeLessThanOrEqual(MAX_CODED_SEATS)
    inputs.forEach((input, index) => {
      expect(game.input.parse(input)).toEqual(input)
      expect(indexOfInput(game, structuredClone(input))).toBe(index)
    })
    expect(indexOfInput(game, game.idle)).toBe(0)
    expect(indexOfInput(game, { other: 1 })).toBe(-1)
  })
})
