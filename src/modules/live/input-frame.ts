import { decodeLiveFrame, type LiveBinaryFrame } from '../../protocol/live-frames.ts'

/** One input as a client sends it in a binary frame. */
export type InputFrame = Extract<LiveBinaryFrame, { readonly kind: 'input' | 'json' }>

/** Reads a frame from a client; null for one that clients do not send. Keeps nothing of `bytes`. */
export function readInputFrame(bytes: Uint8Array): InputFrame | null {
  const frame = decodeLiveFrame(bytes)
  return (frame?.kind === 'input' || frame?.kind === 'json') && frame.moved === 0 ? frame : null
}
