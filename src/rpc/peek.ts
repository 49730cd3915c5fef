/** Bytes at the beginning of a frame in which its `type` and `eid` are looked for. */
const HEAD_BYTES = 512
/** Bytes at its end, where the `eid` stands in frames that have their data before it. */
const TAIL_BYTES = 160

const TYPE = /"type"\s*:\s*"([a-z][A-Za-z0-9]{0,31}\.[a-z][A-Za-z0-9]{0,31})"/
/** Without escapes: printable ASCII but quotes and backslashes. */
const EID = /"eid"\s*:\s*"([ !#-[\]-~]{1,64})"/
const LAST_EID = /"eid"\s*:\s*"([ !#-[\]-~]{1,64})"\s*(?:,\s*"ts"\s*:\s*[\d.]+\s*)?\}\s*$/

/** What is found of an envelope without parsing it, so that a refusal can say what it refuses. */
export interface Peeked {
  readonly type: string | undefined
  readonly eid: string | undefined
}

/** Looks at no more than the beginning and the end of a frame, however large it is. */
export function peek(frame: Buffer): Peeked {
  const head = frame.toString('latin1', 0, HEAD_BYTES)
  const tail = frame.toString('latin1', Math.max(0, frame.length - TAIL_BYTES))
  const [, eid] = LAST_EID.exec(tail) ?? EID.exec(head) ?? []
  return { type: TYPE.exec(head)?.[1], eid }
}

/** Knows frames that begin with the `type` of an input, as the SDK writes it: those are counted apart from requests. */
export class InputFrames {
  readonly #beginnings: readonly Buffer[]

  constructor(types: readonly string[]) {
    this.#beginnings = types.map((type) => Buffer.from(`{"type":"${type}"`))
  }

  begin(frame: Buffer): boolean {
    for (const beginning of this.#beginnings) if (beginsWith(frame, beginning)) return true
    return false
  }
}

function beginsWith(frame: Buffer, beginning: Buffer): boolean {
  if (frame.length < beginning.length) return false
  // From the end, where types differ: all frames begin alike.
  for (let i = beginning.length - 1; i >= 0; i--) if (frame[i] !== beginning[i]) return false
  return true
}
