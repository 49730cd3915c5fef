import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
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
  type LiveBinaryFrame,
  type LiveInputFrame,
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

/** What clients in other languages can be tested with. */
const From = z.enum(['client', 'server'])
const vectors = z
  .object({
    frames: z.array(z.object({ from: From, hex: z.string(), frame: z.record(z.string(), z.unknown()) })),
    rubbish: z.array(z.object({ from: From, hex: z.string() })),
    ticks: z.array(
      z.object({ low: z.number(), bits: z.union([z.literal(8), z.literal(16)]), near: z.number(), tick: z.number() }),
    ),
  })
  .parse(JSON.parse(readFileSync('docs/vectors/live-frames.json', 'utf8')))

/** The bytes of a decoded frame, of either direction. */
function encode(frame: LiveBinaryFrame | LiveInputFrame): Uint8Array {
  const { stream } = frame
  if (frame.kind === 'keyframe') return encodeKeyframe(stream, frame.tick, frame.hash)
  if (frame.kind === 'end') return encodeEnd(stream, frame.tick, frame.status)
  const { seat } = frame
  if ('tickWord' in frame) {
    if (frame.kind === 'json') return encodeJsonInput(stream, frame.tickWord, seat, frame.input)
    return encodeInput(stream, frame.tickWord, seat, frame.index)
  }
  if (frame.kind === 'json') return encodeJsonChange(stream, frame.tickByte, seat, frame.input, frame.moved)
  return encodeChange(stream, frame.tickByte, seat, frame.index, frame.moved)
}

describe('live frames', () => {
  test.each(vectors.frames)('$from $hex is what it says', ({ from, hex: bytes, frame }) => {
    const decode = from === 'client' ? decodeInput : decodeLiveFrame
    const decoded = decode(Buffer.from(bytes, 'hex'))
    expect(decoded).toEqual(frame)
    if (decoded) expect(hex(encode(decoded))).toBe(bytes)
  })

  test.each(vectors.ticks)('$low of $bits bits near tick $near is tick $tick', ({ low, bits, near, tick }) => {
    expect(resolveTick(low, near, bits)).toBe(tick)
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
    for (const { from, hex: bytes } of vectors.rubbish) {
      const decode = from === 'client' ? decodeInput : decodeLiveFrame
      expect(decode(Buffer.from(bytes, 'hex')), `${from} ${bytes}`).toBeNull()
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
