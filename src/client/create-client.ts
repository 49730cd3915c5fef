import type { AnyApi } from '../protocol/api.ts'
import { Client } from './client.ts'
import { RallyError } from './errors.ts'
import type { AnyListener, CallOptions, ClientOptions, Rally, Result } from './types.ts'

const WIRE_NAME = /^[a-z][A-Za-z0-9]*$/
const SUBSCRIPTION = /^on[A-Z]/
/** Asked of every object by promises and by `JSON.stringify`: were they there, they would be called. */
const NOT_ON_THE_WIRE: ReadonlySet<string> = new Set(['then', 'toJSON'])

/**
 * Connects to a Rally server.
 *
 * `Api` is the type that the server exports: its methods become `rally.module.method(input)`, its subscriptions
 * `rally.module.onEvent(input, listener)`. Nothing of it is needed at run time.
 *
 * @throws TypeError for an address that is none, or where there is no WebSocket.
 */
export function createClient<Api extends AnyApi>(options: ClientOptions = {}): Rally<Api> {
  const client = new Client(options)
  const made = new Map<string, unknown>()
  const face: unknown = new Proxy(client, {
    get(_target, name) {
      const member: unknown = Reflect.get(client, name, client)
      if (typeof name !== 'string') return member
      if (typeof member === 'function') return kept(made, name, () => member.bind(client))
      if (name in client) return member
      return isWireName(name) ? kept(made, name, () => moduleOf(client, name)) : undefined
    },
  })
  // `Api` has no values to check against: whatever is asked for becomes a name on the wire.
  return face as Rally<Api>
}

/** One module: its members are made when they are first asked for. */
function moduleOf(client: Client, namespace: string): object {
  const made = new Map<string, unknown>()
  return new Proxy(Object.create(null), {
    get(_target, name) {
      if (typeof name !== 'string' || !isWireName(name)) return undefined
      const type = `${namespace}.${name}`
      return kept(made, name, () => (SUBSCRIPTION.test(name) ? subscriptionOf(client, type) : methodOf(client, type)))
    },
  })
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
  return (input: unknown, listener: AnyListener) => client.subscribe(type, input, listener)
}

function isWireName(name: string): boolean {
  return WIRE_NAME.test(name) && !NOT_ON_THE_WIRE.has(name)
}

function kept(made: Map<string, unknown>, name: string, make: () => unknown): unknown {
  const value = made.get(name) ?? make()
  made.set(name, value)
  return value
}
