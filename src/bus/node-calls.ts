import { z } from 'zod'
import type { Bus } from './bus.ts'

/** Why a call failed: the code and message that the other node answered with, or UNAVAILABLE when it did not answer. */
export class NodeCallError extends Error {
  override readonly name = 'NodeCallError'
  readonly code: string
  readonly issues: Failure['issues']
  readonly retryAfterMs: number | undefined

  constructor({ code, message, issues, retryAfterMs }: Failure) {
    super(message)
    this.code = code
    this.issues = issues
    this.retryAfterMs = retryAfterMs
  }
}

/** Calls between nodes, by name. A node may call itself. What they carry is JSON, or bytes for `tell`. */
export interface NodeCalls {
  /** Answers what other nodes ask under `name`. An `RpcError` reaches the asker with its code and message. */
  answer(name: string, answer: (data: unknown, from: string) => Promise<unknown>): void
  /**
   * Asks a node and waits for its answer.
   * @throws NodeCallError UNAVAILABLE when the node does not answer in time, is gone, or knows no such name; otherwise
   *   with the code of the error there, INTERNAL when that is no `RpcError`.
   */
  ask(node: string, name: string, data: unknown, deadlineMs: number): Promise<unknown>
  /** Tells a node without waiting. What is told may be lost; it arrives in order. */
  tell(node: string, name: string, data: unknown): void
  /** Listens to what other nodes tell under `name`: a `Uint8Array` where they told bytes. */
  listen(name: string, listener: (data: unknown, from: string) => void): void
  /** Calls `listener` when a node left, died or has been unreachable for some seconds. */
  onGone(listener: (node: string) => void): void
}

/** Follows calls from node to node, for logs and traces. */
export interface NodeCallObserver {
  /** Called where a call is made. `context` travels with it. Undefined: it is not of interest. */
  leaves(kind: NodeCallKind, name: string, node: string): { context: unknown; ended(error?: unknown): void } | undefined
  /** Has to call `run` once, before it returns, and gives its result. `context` is what the other node sent. */
  arrives<T>(kind: NodeCallKind, name: string, from: string, context: unknown, run: () => T): T
}

type NodeCallKind = 'ask' | 'tell'

const ASKED = 'nodes.ask'
const ANSWERED = 'nodes.answer'
const TOLD = 'nodes.tell/'
const MAX_ASKING = 10_000

const Failure = z.object({
  code: z.string(),
  message: z.string(),
  issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  retryAfterMs: z.number().optional(),
})
type Failure = z.infer<typeof Failure>
/** The errors that another node may learn of. */
const Told = Failure.extend({ name: z.enum(['RpcError', 'NodeCallError']) })
const Question = z.object({
  id: z.number(),
  name: z.string(),
  data: z.unknown().optional(),
  context: z.unknown().optional(),
})
/** What `tell` sends, if it is no bytes. */
const Tale = z.object({ data: z.unknown().optional(), context: z.unknown().optional() })
const Answer = z.object({ id: z.number(), data: z.unknown().optional(), error: Failure.optional() })

interface Asking {
  readonly node: string
  readonly timer: NodeJS.Timeout
  resolve(data: unknown): void
  reject(error: NodeCallError): void
}

/** @param onError is told of an answer that failed without a code. */
export function createNodeCalls(
  bus: Bus,
  onError: (error: unknown, name: string) => void,
  observer?: NodeCallObserver,
): NodeCalls {
  const answers = new Map<string, (data: unknown, from: string) => Promise<unknown>>()
  const asking = new Map<number, Asking>()
  let lastId = 0

  const send = (node: string, topic: string, data: unknown) => {
    bus.send(node, topic, { seq: 0, payload: data instanceof Uint8Array ? data : (JSON.stringify(data) ?? 'null') })
  }
  const take = (id: number): Asking | undefined => {
    const asked = asking.get(id)
    asking.delete(id)
    clearTimeout(asked?.timer)
    return asked
  }

  const reply = async ({ id, name, data, context }: z.infer<typeof Question>, from: string) => {
    try {
      const answer = answers.get(name)
      if (!answer) throw unavailable(`This node does not answer ${name}`)
      const run = () => answer(data, from)
      const given = context === undefined || !observer ? run() : observer.arrives('ask', name, from, context, run)
      send(from, ANSWERED, { id, data: await given })
    } catch (error) {
      const told = Told.safeParse(error)
      if (!told.success) onError(error, name)
      send(from, ANSWERED, { id, error: told.data ?? { code: 'INTERNAL', message: 'The other node failed' } })
    }
  }

  bus.receive(ASKED, ({ payload }, from) => void reply(Question.parse(JSON.parse(String(payload))), from))
  bus.receive(ANSWERED, ({ payload }, from) => {
    const { id, data, error } = Answer.parse(JSON.parse(String(payload)))
    if (asking.get(id)?.node !== from) return
    if (error) take(id)?.reject(new NodeCallError(error))
    else take(id)?.resolve(data)
  })
  bus.onGone((node) => {
    for (const [id, asked] of asking) {
      if (asked.node === node) take(id)?.reject(unavailable('The other node is gone'))
    }
  })

  return {
    answer(name, answer) {
      if (answers.has(name)) throw new Error(`${name} is answered already`)
      answers.set(name, answer)
    },
    ask(node, name, data, deadlineMs) {
      const observed = observer?.leaves('ask', name, node)
      const answer = new Promise((resolve, reject) => {
        if (asking.size >= MAX_ASKING) throw unavailable('Too many calls between nodes')
        const id = ++lastId
        const late = () => take(id)?.reject(unavailable('The other node did not answer'))
        asking.set(id, { node, resolve, reject, timer: setTimeout(late, deadlineMs) })
        send(node, ASKED, { id, name, data, context: observed?.context })
      })
      if (observed) answer.then(() => observed.ended(), observed.ended)
      return answer
    },
    tell(node, name, data) {
      if (data instanceof Uint8Array) {
        send(node, TOLD + name, data)
        return
      }
      const observed = observer?.leaves('tell', name, node)
      send(node, TOLD + name, { data, context: observed?.context })
      observed?.ended()
    },
    listen(name, listener) {
      bus.receive(TOLD + name, ({ payload }, from) => {
        if (typeof payload !== 'string') {
          listener(payload, from)
          return
        }
        const { data, context } = Tale.parse(JSON.parse(payload))
        const run = () => listener(data, from)
        if (context === undefined || !observer) run()
        else observer.arrives('tell', name, from, context, run)
      })
    },
    onGone: (listener) => void bus.onGone(listener),
  }
}

function unavailable(message: string): NodeCallError {
  return new NodeCallError({ code: 'UNAVAILABLE', message })
}
