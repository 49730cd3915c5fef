import { encodeInput, encodeJsonInput, encodeKeyframe } from '../../src/protocol/live-frames.ts'
import { type Target, targets } from './catalogue.ts'
import { junk, scramble, spoil, write } from './mutate.ts'
import { type Pools, plausible } from './plausible.ts'
import type { Random } from './random.ts'

/** One frame to send. `eid` if it identifies the answer. */
export interface Frame {
  readonly kind: string
  readonly bytes: string | Buffer
  readonly isBinary: boolean
  readonly eid?: string
}

/** Larger than the server takes. It ends the connection, so it is rare. */
const OVERSIZED = 80_000
/** They end the session of the socket, so they are rare. */
const ENDING: ReadonlySet<string> = new Set(['auth.logout', 'auth.revoke', 'auth.rotateTotp', 'users.remove'])

const typeNames = targets.map(({ type }) => type)

/** A frame of any kind: mutated envelopes most of the time, valid ones, and bytes that mean nothing. */
export function makeFrame(number: number, random: Random, pools: Pools): Frame {
  const eid = `f${number}`
  const target = pickTarget(random)
  const data = plausible(target.input, random, pools)
  const envelope = { type: target.type, data, eid, ts: 1_767_225_600_000 + number }
  const draw = random.below(1000)
  const text = (kind: string, bytes: string): Frame => ({ kind, bytes, isBinary: false, eid })

  if (draw < 200) return text('valid', write(envelope))
  if (draw < 550) return text('spoiled data', write({ ...envelope, data: spoil(data, random) }))
  if (draw < 640) return text('junk data', write({ ...envelope, data: junk(random) }))
  if (draw < 740) return { kind: 'spoiled envelope', bytes: write(spoil(envelope, random)), isBinary: false }
  if (draw < 840) return text('scrambled', scramble(write(envelope), random))
  if (draw < 880) return text('cut short', write(envelope).slice(0, random.below(120)))
  if (draw < 900) return text('other type', write({ ...envelope, type: otherType(random) }))
  if (draw < 915) return text('old eid', write({ ...envelope, eid: `f${random.below(number + 1)}` }))
  if (draw < 930) return { kind: 'deep', bytes: deep(random), isBinary: false }
  if (draw < 960) return { kind: 'live binary', bytes: liveBinary(random), isBinary: true }
  if (draw < 980) return { kind: 'random binary', bytes: random.bytes(random.below(300)), isBinary: true }
  if (draw < 998)
    return { kind: 'random text', bytes: random.bytes(random.below(300)).toString('latin1'), isBinary: false }
  // These two end the connection: bytes that are no UTF-8, and a frame that is too large.
  if (draw < 999) return { kind: 'bad utf-8', bytes: random.bytes(1 + random.below(50)), isBinary: false }
  return random.chance(0.5)
    ? { kind: 'oversized', bytes: `"${'x'.repeat(OVERSIZED)}"`, isBinary: false }
    : text('nearly oversized', write({ ...envelope, data: { ...Object(data), pad: 'y'.repeat(60_000) } }))
}

/** A frame that fits its schema. */
export function makeValidFrame({ type, input }: Target, number: number, random: Random, pools: Pools): Frame {
  const eid = `f${number}`
  const data = plausible(input, random, pools)
  return { kind: 'valid', bytes: write({ type, data, eid, ts: 1_767_225_600_000 + number }), isBinary: false, eid }
}

function pickTarget(random: Random): Target {
  const ping = { type: 'rpc.ping', input: {}, errors: [] }
  const picked = random.pick(targets) ?? ping
  const again = random.pick(targets) ?? ping
  const isWilling = random.chance(0.3)
  if (!ENDING.has(picked.type) || isWilling) return picked
  return ENDING.has(again.type) ? ping : again
}

function otherType(random: Random): unknown {
  const known = random.pick(typeNames) ?? ''
  return random.pick([
    known.toUpperCase(),
    `${known}.`,
    known.replace('.', '..'),
    `${known}\u0000`,
    'rpc.welcome',
    'rpc.error',
    'matches.constructor',
    '__proto__.toString',
    'toString.call',
    'a.b',
    'x'.repeat(500),
    '.',
    '',
  ])
}

function deep(random: Random): string {
  const open = random.pick(['[', '{"a":', '[{"data":', '{"data":['])
  const depth = random.pick([31, 33, 100, 5_000])
  return open.repeat(depth)
}

function liveBinary(random: Random): Buffer {
  const stream = random.pick([0, 1, 2, 3, 4, 5, 50, 2 ** 29, 2 ** 30 - 1])
  const frames = [
    () => encodeInput(stream, random.below(2 ** 20), random.below(16), random.below(16)),
    () => encodeJsonInput(stream, random.below(2 ** 20), random.below(16), junk(random)),
    () => encodeKeyframe(stream, random.below(2 ** 31), random.below(2 ** 31)),
  ] as const
  const bytes = Buffer.from(random.pick(frames)())
  const isWhole = random.chance(0.5)
  const at = random.below(bytes.length)
  if (!isWhole) bytes[at] = random.below(256)
  return random.chance(0.2) ? bytes.subarray(0, at) : bytes
}
