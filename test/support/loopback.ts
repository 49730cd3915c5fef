import { createMemoryBus } from '../../src/bus/memory.ts'
import { defaultLimits } from '../../src/protocol/index.ts'
import {
  type Call,
  type Caller,
  Connection,
  Dispatcher,
  definers,
  Hub,
  type Module,
  type Once,
} from '../../src/rpc/index.ts'
import { Inbox, type Message, within } from './client.ts'
import { frameOf } from './frame.ts'

export interface LoopbackContext {
  readonly call: Call<object>
  readonly user: Caller['user']
}

export const { method, subscription } = definers<LoopbackContext>()

/** One socket of a dispatcher without a transport. */
export interface Loopback extends Disposable {
  /** What was logged as an error. */
  readonly errors: object[]
  readonly hub: Hub
  /** Sends a request and waits for its answer. */
  request(type: string, data?: unknown, eid?: string): Promise<Message>
}

/** Executes every write and keeps no answers. */
const forgetful: Once<object> = {
  recall: () => undefined,
  async run(_key, execute) {
    return { answer: await execute({}), executed: true }
  },
}

/** The RPC layer with one socket, anonymous or of `user`; with `token` a program's. */
export function openLoopback(
  module: Module,
  user: Caller['user'] = null,
  once = forgetful,
  token: Caller['token'] = null,
): Loopback {
  const errors: object[] = []
  const inbox = new Inbox<Message>()
  const bus = createMemoryBus((error, topic) => errors.push({ err: error, topic }))
  const hub = new Hub({
    bus,
    limits: defaultLimits,
    inspect: (type, event) => dispatcher.inspectEvent(type, event),
  })
  const dispatcher: Dispatcher<LoopbackContext, object> = new Dispatcher({
    modules: [module],
    limits: defaultLimits,
    hub,
    once,
    createContext: (call: Call<object>): LoopbackContext => ({ call, user: call.caller.user }),
    checkOutput: true,
    translateError: () => undefined,
    log: { error: (details) => void errors.push(details) },
  })
  class LoopbackConnection extends Connection {
    send = (frame: string | Uint8Array) => inbox.push(JSON.parse(frame.toString()))
    join = () => undefined
    leave = () => undefined
    unsentBytes = () => 0
    close = () => dispatcher.close(this)
  }
  const caller = { user, sessionId: null, token, ip: '127.0.0.1', userAgent: '', device: null }
  const connection = new LoopbackConnection(dispatcher.admit(caller), performance.now())
  dispatcher.open(connection)
  let lastEid = 0
  return {
    errors,
    hub,
    request(type, data = {}, eid = `${++lastEid}`) {
      dispatcher.receive(connection, frameOf(type, data, eid))
      return within(
        inbox.next((message) => message.eid === eid),
        `the answer of ${type}`,
      )
    },
    [Symbol.dispose]: () => dispatcher.stop(),
  }
}
