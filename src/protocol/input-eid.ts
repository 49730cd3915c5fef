import { decodeInput } from './live-frames.ts'

/** The `eid` of the answer to an input in a frame, which has none of its own: sent only when it is refused. */
export function inputEid(stream: number, seat: number): string {
  return `input/${stream}/${seat}`
}

/** The same of a frame as it came; `input` for what is none. */
export function eidOfInput(bytes: Uint8Array): string {
  const frame = decodeInput(bytes)
  return frame ? inputEid(frame.stream, frame.seat) : 'input'
}
