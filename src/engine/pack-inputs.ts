import { z } from 'zod'
import type { InputChange } from '../games/simulate.ts'

/** A stored log: each input once; changes are base64 LEB128 varints: ticks since the last, seat, place in `inputs`. */
const PackedInputs = z.object({ inputs: z.array(z.unknown()), changes: z.base64() })
type PackedInputs = z.infer<typeof PackedInputs>

/** Packs a log that is in the order of ticks. */
export function packInputs(log: readonly InputChange[]): PackedInputs {
  const inputs: unknown[] = []
  // Most inputs come from the game's table, so their reference is known. The others are compared as JSON.
  const byReference = new Map<unknown, number>()
  const byJson = new Map<string, number>()
  const placeOf = (input: unknown): number => {
    const known = byReference.get(input)
    if (known !== undefined) return known
    const json = JSON.stringify(input)
    const place = byJson.get(json) ?? inputs.push(input) - 1
    byJson.set(json, place)
    byReference.set(input, place)
    return place
  }
  const bytes: number[] = []
  let last = 0
  for (const { tick, seat, input } of log) {
    push(bytes, tick - last)
    push(bytes, seat)
    push(bytes, placeOf(input))
    last = tick
  }
  return { inputs, changes: Buffer.from(bytes).toString('base64') }
}

/** The log that was packed; null for anything else. */
export function unpackInputs(packed: unknown): InputChange[] | null {
  const parsed = PackedInputs.safeParse(packed)
  if (!parsed.success) return null
  const { inputs } = parsed.data
  const bytes = Buffer.from(parsed.data.changes, 'base64')
  const log: InputChange[] = []
  let at = 0
  let tick = 0
  const next = (): number => {
    let value = 0
    for (let unit = 1; at < bytes.length && unit < 2 ** 35; unit *= 0x80) {
      const byte = bytes[at++] ?? 0
      value += (byte & 0x7f) * unit
      if (byte < 0x80) return value
    }
    return Number.NaN
  }
  while (at < bytes.length) {
    tick += next()
    const seat = next()
    const place = next()
    if (!(place < inputs.length)) return null
    log.push({ tick, seat, input: inputs[place] })
  }
  return log
}

function push(bytes: number[], value: number): void {
  let left = value
  while (left >= 0x80) {
    bytes.push((left & 0x7f) | 0x80)
    left = Math.floor(left / 0x80)
  }
  bytes.push(left)
}
