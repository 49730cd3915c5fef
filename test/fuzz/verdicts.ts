import { z } from 'zod'
import { STREAM_CLOSED } from '../../src/protocol/codes.ts'
import { knownCodes, targets } from './catalogue.ts'
import type { Frame } from './frames.ts'

const Message = z.looseObject({
  type: z.string(),
  eid: z.string(),
  ts: z.number(),
  data: z.unknown(),
  seq: z.number().optional(),
  error: z.string().optional(),
})
export type Message = z.infer<typeof Message>

const errorsOf = new Map(targets.map(({ type, errors }) => [type, errors]))
/** Codes of requests that did not come as far as their handler, or may not have. */
const decidedBefore: ReadonlySet<string> = new Set([
  ...['BAD_ENVELOPE', 'UNKNOWN_TYPE', 'VALIDATION_FAILED', 'UNAUTHENTICATED', 'FORBIDDEN'],
  ...['RATE_LIMITED', 'CONFLICT', 'TIMEOUT', 'UNAVAILABLE', 'INTERNAL'],
])

/** The largest answer with an error, in bytes. */
const MAX_ERROR_BYTES = 2048
const MAX_COMPLAINTS = 10

/** Checks and counts what the server sends. */
export class Verdicts {
  /** Faults, each with the frame that was answered where it is known. */
  readonly complaints: string[] = []
  readonly kinds = new Map<string, number>()
  /** Answers by code; `ok` without. */
  readonly answers = new Map<string, number>()
  readonly closings = new Map<number, number>()
  /** Types of which at least one request succeeded. */
  readonly succeeded = new Set<string>()
  /** Types of which at least one request was decided by its handler. */
  readonly handled = new Set<string>()
  /** Frames that came from the server. */
  received = 0
  /** Sockets that were refused for now. */
  refusals = 0

  sent({ kind }: Frame): void {
    this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1)
  }

  closed(code: number): void {
    this.closings.set(code, (this.closings.get(code) ?? 0) + 1)
  }

  /** Reads a text frame of the server; null if it is no envelope. */
  judge(text: string, sentAs: (eid: string) => Frame | undefined): Message | null {
    const message = read(text)
    if (message === null) {
      this.#complain('not an envelope', text, undefined)
      return null
    }
    const { error, seq, eid, type } = message
    if (error === undefined) {
      if (seq === undefined) {
        this.#count('ok')
        this.succeeded.add(type)
        this.handled.add(type)
      }
      return message
    }
    this.#count(error)
    if (!decidedBefore.has(error) || errorsOf.get(type)?.includes(error)) this.handled.add(type)
    if (error === STREAM_CLOSED) return message
    const frame = sentAs(eid)
    if (error === 'INTERNAL') this.#complain('INTERNAL', text, frame)
    else if (!knownCodes.has(error)) this.#complain('an unknown code', text, frame)
    const size = Buffer.byteLength(text)
    if (size > MAX_ERROR_BYTES) this.#complain(`an error of ${size} bytes`, text, frame)
    return message
  }

  count(code: string): number {
    return this.answers.get(code) ?? 0
  }

  #count(code: string): void {
    this.answers.set(code, (this.answers.get(code) ?? 0) + 1)
  }

  #complain(what: string, text: string, frame: Frame | undefined): void {
    if (this.complaints.length >= MAX_COMPLAINTS) return
    const sent = frame ? ` to ${frame.kind} ${JSON.stringify(frame.bytes.toString()).slice(0, 2_000)}` : ''
    this.complaints.push(`${what}: ${text.slice(0, 1_000)}${sent}`)
  }
}

function read(text: string): Message | null {
  try {
    return Message.parse(JSON.parse(text))
  } catch {
    return null
  }
}
