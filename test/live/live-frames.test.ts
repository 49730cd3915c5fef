import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AnyGame, MAX_TABLE_INPUTS as GAME_INPUTS, MAX_SEATS as GAME_SEATS } from '../../src/games/game.ts'
import { games } from '../../src/games/index.ts'
import { indexOfInput } from '../../src/games/simulate.ts'
import {
  decodeInput,
  decodeLiveFrame,
  encodeChange,
  encodeEnd,
  encodeInput,
  encodeJsonChange,
  encodeJsonInput,
  encodeKeyframe,
  MAX_INPUT_LENGTH,
  MAX_SEATS,
  MAX_STREAM,
  MAX_TABLE_INPUTS,
  resolveTick,
  streamOf,
} from '../../src/protocol/live-frames.ts'

const stream = fc.oneof(fc.nat(40), fc.nat(5000), fc.nat(MAX_STREAM))
const tick = fc.oneof(fc.nat(300), fc.nat(216_000), fc.nat(0xffff_ffff))
/** Not filtered: where most values are too long that takes for ever. */
const jsonInput = fc.jsonValue().map((value) => (JSON.stringify(value).length <= MAX_INPUT_LENGTH ? value : 'long'))
const seat = fc.nat(MAX_SEATS - 1)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('live frames', () => {
  test('are these bytes', () => {
    expect(hex(encodeInput(3, 0x51234, 1, 2))).toBe('0c341212')
    expect(hex(encodeInput(40, 5, 15, 15))).toBe('a0010500ff')
    expect(hex(encodeJsonInput(0, 300, 15, { a: 1 }))).toBe('012c010f7b2261223a317d')
    expect(hex(encodeChange(3, 0x1234, 1, 2))).toBe('0c3412')
    expect(hex(encodeChange(40, 5, 15, 15))).toBe('a00105ff')
    expect(hex(encodeChange(0, 75, 0, 1, 9))).toBe('004b0109')
    expect(hex(encodeChange(0, 75, 0, 1, 1000))).toBe('004b01ff')
    expect(hex(encodeJsonChange(0, 300, 15, { a: 1 }))).toBe('012c0f007b2261223a317d')
    expect(hex(encodeJsonChange(0, 300, 15, 1, 300))).toBe('012c0fff31')
    expect(hex(encodeKeyframe(1, 300, 0x89abcdef))).toBe('06ac02efcdab89')
    expect(hex(encodeEnd(31, 70_000, 'finished'))).toBe('7ff0a20401')
    expect(hex(encodeEnd(31, 0, 'aborted'))).toBe('7f0002')
  })

  test('have a header of one byte for 32 matches, of two for 4096', () => {
    const size = (stream: number) => encodeChange(stream, 0, 0, 0).length - 2
    expect([0, 31, 32, 4095, 4096].map(size)).toEqual([1, 1, 2, 2, 3])
  })

  test('an input and a change come out as they went in', () => {
    fc.assert(
      fc.property(stream, tick, seat, fc.nat(MAX_TABLE_INPUTS - 1), fc.nat(255), (stream, tick, seat, index, moved) => {
        const input = encodeInput(stream, tick, seat, index)
        expect(decodeInput(input)).toEqual({ kind: 'input', stream, tickWord: tick % 65_536, seat, index })
        const change = encodeChange(stream, tick, seat, index, moved)
        expect(decodeLiveFrame(change)).toEqual({ kind: 'input', stream, tickByte: tick % 256, seat, index, moved })
        for (const bytes of [input, change]) expect(streamOf(bytes)).toBe(stream)
      }),
    )
  })

  test('a seat or an input that a frame has no room for is refused, and not sent as another', () => {
    for (const seat of [-1, 16, 17, 255, 0.5, Number.NaN]) {
      for (const encode of [encodeInput, encodeJsonInput, encodeChange, encodeJsonChange]) {
        expect(() => encode(0, 1, seat, 0), `seat ${seat}`).toThrow(RangeError)
      }
    }
    for (const index of [-1, 16, 255, 0.5, Number.NaN]) {
      for (const encode of [encodeInput, encodeChange]) {
        expect(() => encode(0, 1, 0, index), `input ${index}`).toThrow(RangeError)
      }
    }
  })

  test('a JSON input and change, a keyframe and an end come out as they went in', () => {
    fc.assert(
      fc.property(stream, tick, seat, jsonInput, fc.nat(0xffff_ffff), (stream, tick, seat, value, hash) => {
        const input: unknown = JSON.parse(JSON.stringify(value))
        const json = { kind: 'json', stream, seat, input }
        expect(decodeInput(encodeJsonInput(stream, tick, seat, input))).toEqual({ ...json, tickWord: tick % 65_536 })
        expect(decodeLiveFrame(encodeJsonChange(stream, tick, seat, input))).toEqual({
          ...json,
          tickByte: tick % 256,
          moved: 0,
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
    for (const decode of [decodeLiveFrame, decodeInput]) {
      expect(decode(frame(longest))).toMatchObject({ kind: 'json', input: JSON.parse(longest) })
    }
    for (const json of [JSON.stringify('é'.repeat(MAX_INPUT_LENGTH - 1)), `1${' '.repeat(MAX_INPUT_LENGTH)}`]) {
      for (const decode of [decodeLiveFrame, decodeInput]) expect(decode(frame(json))).toBeNull()
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
    for (const bytes of [
      '',
      '80',
      '00',
      '0005',
      '000500',
      '0005000101',
      '01050000',
      '010500007b',
      '020500',
      '0205aabbccdd',
      '030501',
    ]) {
      expect(decodeInput(Buffer.from(bytes, 'hex')), bytes).toBeNull()
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const input = decodeInput(bytes)
        if (input?.kind === 'input') {
          expect(encodeInput(input.stream, input.tickWord, input.seat, input.index)).toEqual(bytes)
        }
        const frame = decodeLiveFrame(bytes)
        // What is a frame has this one encoding.
        if (frame?.kind === 'keyframe') expect(encodeKeyframe(frame.stream, frame.tick, frame.hash)).toEqual(bytes)
        if (frame?.kind === 'end') expect(encodeEnd(frame.stream, frame.tick, frame.status)).toEqual(bytes)
      }),
      { numRuns: 5000 },
    )
  })

  test.each([
    [8, 128],
    [16, 32_768],
  ] as const)('a tick is known by its last %i bits within %i ticks', (bits, half) => {
    fc.assert(
      fc.property(fc.nat(216_000), fc.integer({ min: -half, max: half - 1 }), (near, distance) => {
        const tick = near + distance
        if (tick >= 0) expect(resolveTick(tick % (2 * half), near, bits)).toBe(tick)
        expect(resolveTick(near % (2 * half), near, bits)).toBe(near)
      }),
    )
    expect(resolveTick(2 * half - 1, 0, bits)).toBe(2 * half - 1)
  })
})

test('a game may have what a frame can name', () => {
  expect([GAME_SEATS, GAME_INPUTS]).toEqual([MAX_SEATS, MAX_TABLE_INPUTS])
})

describe.each(Object.entries<AnyGame>(games))('the table of inputs of %s', (_, game) => {
  test('has no input twice, and holds what the schema takes', () => {
    const { inputs = [] } = game
    inputs.forEach((input, index) => {
      expect(game.input.parse(input)).toEqual(input)
      expect(indexOfInput(game, structuredClone(input))).toBe(index)
    })
    expect(indexOfInput(game, game.idle)).toBe(0)
    expect(indexOfInput(game, { other: 1 })).toBe(-1)
  })
})
