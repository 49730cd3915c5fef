import { decodeLiveFrame, entryIndex, entrySeat } from '../../protocol/live-frames.ts'

/** One input as a client sends it in a binary frame. */
export type InputFrame = {
  readonly stream: number
  readonly seat: number
  readonly tickByte: number
} & (
  | { readonly kind: 'inputs' /** The place in the game's table. */; readonly index: number }
  | { readonly kind: 'json'; readonly input: unknown }
)

/** Reads a frame from a client; null for one that clients do not send. Keeps nothing of `bytes`. */
export function readInputFrame(bytes: Uint8Array): InputFrame | null {
  const frame = decodeLiveFrame(bytes)
  if (frame?.kind === 'json') return frame
  if (frame?.kind !== 'inputs') return null
  const { kind, stream, tickByte, entries } = frame
  const [entry] = entries
  if (entry === undefined || entries.length !== 1) return null
  return { kind, stream, tickByte, seat: entrySeat(entry), index: entryIndex(entry) }
}
