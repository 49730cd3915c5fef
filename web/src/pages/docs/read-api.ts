/** A JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>

/** A method or subscription, as `/asyncapi.json` describes it. */
export interface Described {
  readonly type: string
  readonly kind: 'method' | 'stream'
  readonly summary: string
  readonly access: string
  readonly scope: string
  /** The effect of a method, the delivery of a stream. */
  readonly manner: string
  readonly limit: string
  readonly errors: readonly string[]
  /** What goes in and out, by name. */
  readonly schemas: readonly (readonly [name: string, schema: Schema])[]
}

/** Reads what the server says of itself. @throws Error when it does not answer */
export async function readApi(signal: AbortSignal): Promise<readonly Described[]> {
  const answer = await fetch('/asyncapi.json', { signal })
  if (!answer.ok) throw new Error(`The server answered ${answer.status}`)
  const document: unknown = await answer.json()
  const messages = at(document, 'channels', 'socket', 'messages')
  return Object.entries(at(document, 'operations')).flatMap(([type, operation]) => {
    if (at(operation, 'action') !== 'receive') return []
    const dataOf = (part: string): Schema => at(messages, `${type}.${part}`, 'payload', 'properties', 'data')
    const delivery = at(operation, 'x-delivery')
    const limit = at(operation, 'x-limit')
    const isStream = typeof delivery === 'string'
    const opening: Schema = at(dataOf('opening'), 'properties', 'snapshot')
    const outs: [string, Schema][] = isStream
      ? [
          ['snapshot', opening],
          ['event', dataOf('event')],
        ]
      : [['output', dataOf('answer')]]
    return {
      type,
      kind: isStream ? 'stream' : 'method',
      summary: String(at(operation, 'summary')),
      access: String(at(operation, 'x-access')),
      scope: String(at(operation, 'x-scope')),
      manner: String(isStream ? delivery : at(operation, 'x-effect')),
      limit: at(limit, 'points') === undefined ? '' : `${at(limit, 'points')} in ${at(limit, 'perSeconds')} s`,
      errors: Object.values(at(operation, 'x-errors') ?? {}).map(String),
      schemas: [['input', dataOf('request')], ...outs],
    }
  })
}

/** What stands under these keys; undefined where there is nothing. */
// biome-ignore lint/suspicious/noExplicitAny: the document's shape is the server's own
function at(value: unknown, ...keys: readonly string[]): any {
  let found: unknown = value
  for (const key of keys) found = typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined
  return found
}

/** An input to begin with: the fields that are required, empty. */
export function exampleOf(schema: Schema | undefined): unknown {
  const first: Schema = at(schema, 'anyOf', '0') ?? at(schema, 'oneOf', '0') ?? schema
  const values: unknown = at(first, 'enum')
  if (Array.isArray(values)) return values[0]
  if (first?.const !== undefined) return first.const
  switch (first?.type) {
    case 'object': {
      const required: unknown = first.required
      const names = Array.isArray(required) ? required.map(String) : []
      return Object.fromEntries(names.map((name) => [name, exampleOf(at(first, 'properties', name))]))
    }
    case 'array':
      return []
    case 'number':
    case 'integer':
      return 0
    case 'boolean':
      return false
    case 'string':
      return ''
    default:
      return {}
  }
}
