import type { AnyApi } from '../protocol/api.ts'
import { Client, type ClientOptions } from './client.ts'
import { RallyError } from './errors.ts'
import type { AnyListener, CallOptions, Calls, Result } from './types.ts'

/** A client of a server whose modules are `Api`. */
export type Rally<Api extends AnyApi> = Omit<Client, 'request' | 'subscribe' | 'sendFrame' | 'beLive'> & Calls<Api>

const WIRE_NAME = /^[a-z][A-Za-z0-9]*$/
const SUBSCRIPTION = /^on[A-Z]/
/** Names that promises, JSON, tests and consoles ask of any object, and call where they exist. */
const NOT_ON_THE_WIRE: ReadonlySet<string> = new Set(['then', 'toJSON', 'inspect', 'asymmetricMatch', 'nodeType'])

/**
 * Connects to a Rally server. `Api` is the type that it exports: its methods become `rally.module.method(input)`, its
 * subscriptions `rally.module.onEvent(input, listener)`. @throws TypeError for an invalid address, or without a
 * WebSocket.
 */
export function createClient<Api extends AnyApi>(options: ClientOptions = {}): Rally<Api> {
  const client = new Client(options)
  const made = new Map<string, unknown>()
  const face: unknown = new Proxy(client, {
    get(_target, name) {
      const member: unknown = Reflect.get(client, name, client)
      if (typeof name !== 'string') return member
      if (typeof member === 'function') return madeOnce(made, name, () => member.bind(client))
      if (name in client) return member
      return isWireName(name) ? madeOnce(made, name, () => moduleOf(client, name)) : undefined
    },
  })
  // `Api` has no values to check against: whatever is asked for becomes a name on the wire.
  return face as Rally<Api>
}

/** One module: its members are made when they are first asked for. Members of every object are not methods of the server. */
function moduleOf(client: Client, namespace: string): object {
  const made = new Map<string, unknown>()
  return new Proxy(
    { toString: () => `[rally.${namespace}]` },
    {
      get(target, name) {
        if (typeof name !== 'string' || name in target) return Reflect.get(target, name)
        if (!isWireName(name)) return undefined
        const type = `${namespace}.${name}`
        return madeOnce(made, name, () =>
          SUBSCRIPTION.test(name) ? subscriptionOf(client, type) : methodOf(client, type),
        )
      },
    },
  )
}

function methodOf(client: Client, type: string) {
  const call = (input?: unknown, options?: CallOptions) => client.request(type, input, options)
  const attempt = (input?: unknown, options?: CallOptions): Promise<Result<unknown, string>> =>
    call(input, options).then(
      (data) => ({ ok: true, data }),
      (error: unknown) => {
        if (error instanceof RallyError) return { ok: false, error }
        throw error
      },
    )
  return Object.assign(call, { try: attempt })
}

function subscriptionOf(client: Client, type: string) {
  return (input: unknown, listener: AnyListener) => {
    if (typeof listener?.next === 'function') return client.subscribe(type, input, listener)
    throw new TypeError(`${type} takes an input, {} if it has none, and a listener with a function next`)
  }
}

function isWireName(name: string): boolean {
  return WIRE_NAME.test(name) && !NOT_ON_THE_WIRE.has(name)
}

function madeOnce(made: Map<string, unknown>, name: string, make: () => unknown): unknown {
  const value = made.get(name) ?? make()
  made.set(name, value)
  return value
}
