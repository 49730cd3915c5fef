import type { Contract } from './contract.ts'
import { embedded, type JsonSchema } from './json-schema.ts'

interface AsyncApiOptions {
  readonly version: string
  readonly publicUrl: string
}

interface Message {
  readonly name: string
  readonly contentType: string
  /** The schema of the frame. */
  readonly payload: { readonly type: string; readonly required: readonly string[]; readonly properties: JsonSchema }
}

const EID = { type: 'string', minLength: 1, maxLength: 64, description: 'The same in a request and its answer' }
const TS = { type: 'number', description: 'The clock of the sender, ms since the epoch' }
const ERROR_DATA = {
  type: 'object',
  required: ['message'],
  properties: { message: { type: 'string' }, retryAfterMs: { type: 'integer' }, issues: { type: 'array' } },
}
const SINCE = { type: 'integer', minimum: 0, description: 'The last `seq` that the client knows' }

/** Everything that goes over the socket but binary frames, as AsyncAPI 3.0, from the server's side: it receives requests. */
export function createAsyncApi({ methods, subscriptions }: Contract, { version, publicUrl }: AsyncApiOptions) {
  const schemas: Record<string, JsonSchema> = {}
  const messages: Record<string, Message> = {}
  const operations: Record<string, unknown> = {}
  const { protocol, host } = new URL(publicUrl)

  const frame = (type: string, part: string, data: JsonSchema, more: object = {}, required: string[] = []) => {
    const name = `${type}.${part}`
    const properties = { type: { const: type }, eid: EID, ts: TS, data: embedded(data, name, schemas), ...more }
    const payload = { type: 'object', required: ['type', 'eid', 'ts', ...required], properties }
    messages[name] = { name, contentType: 'application/json', payload }
    return { $ref: `#/channels/socket/messages/${name}` }
  }
  const failure = (type: string, errors: readonly string[]) =>
    frame(type, 'error', ERROR_DATA, { error: { type: 'string', examples: errors } }, ['data', 'error'])
  const operation = (type: string, about: object, asked: object, answers: object[]) => {
    operations[type] = {
      action: 'receive',
      channel: { $ref: '#/channels/socket' },
      tags: [{ name: type.slice(0, type.indexOf('.')) }],
      ...about,
      messages: [asked],
      reply: { channel: { $ref: '#/channels/socket' }, messages: answers },
    }
  }

  for (const [type, method] of Object.entries(methods)) {
    const { summary, access, scope, effect, limit, errors } = method
    const about = {
      summary,
      'x-access': access,
      'x-scope': scope,
      'x-effect': effect,
      'x-limit': limit,
      'x-errors': errors,
    }
    const asked = frame(type, 'request', method.input)
    const refused = failure(type, errors)
    const answers = effect === 'input' ? [refused] : [frame(type, 'answer', method.output, {}, ['data']), refused]
    operation(type, about, asked, answers)
  }
  for (const [type, subscription] of Object.entries(subscriptions)) {
    const { summary, access, scope, delivery, limit, errors, snapshot, event } = subscription
    const about = {
      summary,
      'x-access': access,
      'x-scope': scope,
      'x-delivery': delivery,
      'x-limit': limit,
      'x-errors': errors,
    }
    const { properties = {}, ...input } = subscription.input
    const withSince = { ...input, ...('type' in input && { properties: { ...Object(properties), since: SINCE } }) }
    const asked = frame(type, 'request', withSince)
    const opened = {
      type: 'object',
      required: ['channel', 'seq', 'delivery'],
      properties: {
        channel: { type: 'string' },
        seq: { type: 'integer' },
        delivery: { const: delivery },
        snapshot: embedded(snapshot, `${type}.snapshot`, schemas),
        missed: { type: 'array', items: { type: 'object', properties: { seq: { type: 'integer' }, data: {} } } },
        gap: { const: true },
      },
    }
    operation(type, about, asked, [frame(type, 'opening', opened, {}, ['data']), failure(type, errors)])
    const sent = frame(type, 'event', event, { seq: { type: 'integer' } }, ['data', 'seq'])
    const closed = frame(type, 'closed', CLOSED, { error: { const: 'STREAM_CLOSED' } }, ['data', 'error'])
    operations[`${type}.events`] = {
      action: 'send',
      channel: { $ref: '#/channels/socket' },
      summary: `The events of \`${type}\`, whose \`eid\` is their channel, and its end.`,
      messages: [sent, closed],
    }
  }

  return {
    asyncapi: '3.0.0',
    info: { title: 'Rally', version, description: 'The protocol rally.v1: one WebSocket, JSON envelopes.' },
    defaultContentType: 'application/json',
    servers: { rally: { host, protocol: protocol === 'https:' ? 'wss' : 'ws', pathname: '/ws' } },
    channels: { socket: { address: '/ws', title: 'The socket', messages } },
    operations,
    components: { schemas },
  }
}

const CLOSED = { type: 'object', required: ['reason'], properties: { reason: { type: 'string' } } }
