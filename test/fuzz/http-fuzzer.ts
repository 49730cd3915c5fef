import { connect } from 'node:net'
import { type Conversation, makeConversation } from './http-requests.ts'
import type { Random } from './random.ts'

/** How long a connection may be silent before it is taken for answered. */
const SILENCE_MS = 150
const DEADLINE_MS = 12_000
const MAX_COMPLAINTS = 2
/** What Rally and the addon may answer. */
const STATUSES: ReadonlySet<number> = new Set([
  ...[101, 200, 201, 204, 304, 400, 401, 403, 404, 405, 408, 409, 411, 413, 415, 426, 429, 431, 503, 505],
])
/** The addon writes these itself where it cannot read a request. */
const BY_ADDON: ReadonlySet<number> = new Set([101, 400, 431, 505])

/** Counts what was sent and answered, and collects what is wrong with the answers. */
export class HttpFuzzer {
  readonly complaints: string[] = []
  readonly kinds = new Map<string, number>()
  readonly statuses = new Map<number, number>()
  /** Conversations by kind of which a request was answered with what it asked for. */
  readonly succeeded = new Map<string, number>()
  readonly #port: number
  readonly #random: Random

  constructor(port: number, random: Random) {
    this.#port = port
    this.#random = random
  }

  /** One connection after another. `identity` is a header line that proves a user. */
  async run(count: number, identity: string): Promise<void> {
    for (let i = 0; i < count; i++) {
      const conversation = makeConversation(this.#random, identity)
      this.kinds.set(conversation.kind, (this.kinds.get(conversation.kind) ?? 0) + 1)
      this.#judge(conversation, await this.#talk(conversation))
    }
  }

  /** Sends it in one to three pieces, in one if all of it has to be answered; gives what came back until the connection ended or was silent. */
  #talk({ bytes, minResponses }: Conversation): Promise<string> {
    const cuts = Array.from({ length: minResponses > 0 ? 0 : this.#random.below(3) }, () =>
      this.#random.below(bytes.length + 1),
    ).sort((a, b) => a - b)
    const pieces = [...cuts, bytes.length].map((cut, at) => bytes.subarray(cuts[at - 1] ?? 0, cut))
    return new Promise((resolve) => {
      const socket = connect(this.#port, '127.0.0.1')
      let answer = ''
      let silent: NodeJS.Timeout | undefined
      const over = () => socket.destroy()
      const deadline = setTimeout(over, DEADLINE_MS)
      const wait = () => {
        clearTimeout(silent)
        if (responsesIn(answer).length >= minResponses) silent = setTimeout(over, SILENCE_MS)
      }
      const send = () => {
        const piece = pieces.shift()
        if (piece === undefined) wait()
        else socket.write(piece, () => setImmediate(send))
      }
      socket.once('connect', send)
      // The server may cut such a connection.
      socket.on('error', () => undefined)
      socket.on('data', (data) => {
        answer += data.toString('latin1')
        if (pieces.length === 0) wait()
      })
      socket.once('close', () => {
        clearTimeout(silent)
        clearTimeout(deadline)
        resolve(answer)
      })
    })
  }

  #judge(conversation: Conversation, answer: string): void {
    const { kind, maxResponses, minResponses } = conversation
    const statuses = responsesIn(answer)
    if (statuses.some((status) => status < 300)) this.succeeded.set(kind, (this.succeeded.get(kind) ?? 0) + 1)
    for (const status of statuses) {
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
      if (!STATUSES.has(status)) this.#complain(`status ${status}`, conversation, answer)
    }
    if (statuses.length > maxResponses) this.#complain(`${statuses.length} responses`, conversation, answer)
    if (statuses.length < minResponses) this.#complain(`only ${statuses.length} responses`, conversation, answer)
    if (answer.includes('"INTERNAL"')) this.#complain('INTERNAL', conversation, answer)
    const withHeaders = answer.split('X-Content-Type-Options: nosniff\r\n').length - 1
    const own = statuses.filter((status) => !BY_ADDON.has(status)).length
    if (withHeaders < own) this.#complain('no security headers', conversation, answer)
  }

  #complain(what: string, { kind, bytes }: Conversation, answer: string): void {
    if (this.complaints.length >= MAX_COMPLAINTS) return
    this.complaints.push(
      `${what} to ${kind} ${JSON.stringify(bytes.toString('latin1').slice(0, 600))}: ${answer.replaceAll(/^[A-Z][\w-]+: .*\r\n/gm, '').slice(0, 500)}`,
    )
  }
}

/** The statuses of the final responses in what a connection was sent. No body of Rally holds a status line. */
function responsesIn(answer: string): number[] {
  return [...answer.matchAll(/HTTP\/1\.1 ([2-5]\d\d|101) /g)].map(([, status]) => Number(status))
}
