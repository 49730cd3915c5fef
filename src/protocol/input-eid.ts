import { addresseeOf } from './live-frames.ts'

/** The `eid` of the answer to an input in a frame, which has none of its own: sent only when it is refused. */
export function inputEid(stream: number, seat: number): string {
  return `input/${stream}/${seat}`
}

/** The same of a frame as it came, of which the input itself is not read; `input` for what is none. */
export function eidOfInput(bytes: Uint8Array): string {
  const to = addresseeOf(bytes)
  return to ? inputEid(to.stream, to.seat) : 'input'
}
