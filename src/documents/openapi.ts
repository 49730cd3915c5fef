import type { Contract, DescribedMethod, DescribedRoute } from './contract.ts'
import { embedded, type JsonSchema } from './json-schema.ts'

interface OpenApiOptions {
  readonly version: string
  readonly sessionCookie: string
  /** The HTTP status of an error code. */
  readonly statusOf: (code: string) => number
}

/** Of every request, besides what its method declares. */
const COMMON_CODES = ['BAD_ENVELOPE', 'VALIDATION_FAILED', 'RATE_LIMITED', 'INTERNAL', 'UNAVAILABLE', 'TIMEOUT']
const json = (schema: JsonSchema) => ({ 'application/json': { schema } })

/** The HTTP bridge and the addresses of modules as OpenAPI 3.1. Streams and inputs need a socket: see `createAsyncApi`. */
export function createOpenApi({ methods, routes }: Contract, options: OpenApiOptions) {
  const schemas: Record<string, JsonSchema> = { Error: ERROR }
  const paths: Record<string, Record<string, unknown>> = structuredClone(SESSION_PATHS)

  const operation = (method: DescribedMethod, type: string, status: number, output: JsonSchema) => ({
    tags: [type.slice(0, type.indexOf('.'))],
    summary: method.summary,
    description: descriptionOf(method),
    security: securityOf(method),
    responses: {
      [status]: { description: 'The answer', content: json(output) },
      ...errorsOf([...COMMON_CODES, ...accessCodes(method), ...method.errors], options.statusOf),
    },
  })

  for (const [type, method] of Object.entries(methods)) {
    if (method.effect === 'input') continue
    const input = embedded(method.input, `${type}.input`, schemas)
    const output = embedded(method.output, `${type}.output`, schemas)
    const shared = operation(method, type, 200, output)
    const isWrite = method.effect === 'write'
    paths[`/rpc/${type}`] = {
      post: {
        operationId: type,
        ...shared,
        ...(isWrite && { parameters: [IDEMPOTENCY_KEY] }),
        requestBody: { content: json(input) },
      },
      ...(!isWrite && {
        get: {
          operationId: `${type}.get`,
          ...shared,
          parameters: [{ name: 'data', in: 'query', content: json(input) }],
        },
      }),
    }
  }
  for (const [name, route] of Object.entries(routes)) {
    const [verb = '', path = ''] = name.split(' ')
    const method = route.calls === undefined ? undefined : methods[route.calls]
    paths[path] = { ...paths[path], [verb.toLowerCase()]: method ? routeOf(name, route, method) : fileOf(name, route) }
  }

  function routeOf(name: string, route: DescribedRoute, method: DescribedMethod) {
    const output = embedded(route.output ?? {}, `${name.replaceAll(/[^\w]+/g, '_')}.output`, schemas)
    const { calls = '', body } = route
    const writes = method.effect === 'write' ? [IDEMPOTENCY_KEY] : []
    return {
      operationId: name.replaceAll(/[^\w]+/g, '_'),
      ...operation(method, calls, route.status, output),
      summary: route.summary,
      description: `Calls \`${calls}\`. ${descriptionOf(method)}`,
      parameters: [...paramsOf(name), ...queryOf(route.query), ...writes],
      ...(body && {
        requestBody: { content: json(embedded(body, `${name.replaceAll(/[^\w]+/g, '_')}.body`, schemas)) },
      }),
    }
  }

  function fileOf(name: string, { summary, contentTypes = [] }: DescribedRoute) {
    const content = Object.fromEntries(contentTypes.map((type) => [type, {}]))
    return {
      operationId: name.replaceAll(/[^\w]+/g, '_'),
      summary,
      security: [{}],
      parameters: paramsOf(name),
      responses: {
        200: { description: 'The file', content },
        ...errorsOf(['VALIDATION_FAILED', 'NOT_FOUND', 'RATE_LIMITED', 'INTERNAL', 'UNAVAILABLE'], options.statusOf),
      },
    }
  }

  return {
    openapi: '3.1.0',
    info: { title: 'Rally', version: options.version, description: 'The methods of this server over HTTP.' },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        cookie: { type: 'apiKey', in: 'cookie', name: options.sessionCookie, description: 'The session of a browser' },
        bearer: { type: 'http', scheme: 'bearer', description: 'A token of auth.createToken' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'A token of auth.createToken' },
      },
    },
  }
}

const ERROR: JsonSchema = {
  type: 'object',
  required: ['error', 'data'],
  properties: {
    error: { type: 'string' },
    data: {
      type: 'object',
      required: ['message'],
      properties: {
        message: { type: 'string', description: 'For people; it may change' },
        retryAfterMs: { type: 'integer' },
        issues: {
          type: 'array',
          items: {
            type: 'object',
            required: ['path', 'message'],
            properties: { path: { type: 'string' }, message: { type: 'string' } },
          },
        },
      },
    },
  },
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'Requests of a user with the same key are executed once. Without one each request is a new one.',
  schema: { type: 'string', minLength: 1, maxLength: 64 },
}

const DONE = { 200: { description: 'Done', content: json({ type: 'object' }) } }
const failing = { default: { description: 'An error', content: json({ $ref: '#/components/schemas/Error' }) } }
const TICKET = { type: 'object', required: ['token'], properties: { token: { type: 'string' } } }
const status = (summary: string, operationId: string) => ({
  get: { operationId, summary, security: [{}], responses: { ...DONE, 503: { description: 'No' } } },
})
const SESSION_PATHS = {
  '/session': {
    post: {
      operationId: 'session.open',
      summary: 'Exchanges the ticket of a sign-in for the session cookie.',
      security: [{}],
      requestBody: { required: true, content: json(TICKET) },
      responses: { ...DONE, ...failing },
    },
    delete: {
      operationId: 'session.end',
      summary: 'Ends the session of the cookie.',
      security: [{ cookie: [] }],
      responses: { ...DONE, ...failing },
    },
  },
  '/healthz': status('Says that the process lives.', 'healthz'),
  '/readyz': status('Says whether this node takes clients.', 'readyz'),
}

function accessCodes({ access, scope }: DescribedMethod): string[] {
  const needsUser = access === 'anyone' ? [] : ['UNAUTHENTICATED']
  return access === 'admin' || scope !== 'any' ? [...needsUser, 'FORBIDDEN'] : needsUser
}

function securityOf({ access, scope }: DescribedMethod): object[] {
  const byToken = scope === 'none' ? [] : [{ bearer: [] }, { apiKey: [] }]
  return [...(access === 'anyone' ? [{}] : []), { cookie: [] }, ...byToken]
}

function descriptionOf({ access, scope, limit }: DescribedMethod): string {
  const who = { anyone: 'Anyone may call it.', user: 'For users.', admin: 'For admins.' }[access] ?? ''
  const token = { none: 'No token may.', any: 'Every token may.' }[scope] ?? `A token needs the scope \`${scope}\`.`
  const rate = limit ? ` At most ${limit.points} calls in ${limit.perSeconds} s.` : ''
  return `${who} ${token}${rate}`
}

/** The codes by their status. */
function errorsOf(codes: readonly string[], statusOf: (code: string) => number): Record<string, unknown> {
  const byStatus = new Map<number, Set<string>>()
  for (const code of codes) byStatus.set(statusOf(code), (byStatus.get(statusOf(code)) ?? new Set()).add(code))
  return Object.fromEntries(
    [...byStatus].map(([status, some]) => {
      const schema = { allOf: [{ $ref: '#/components/schemas/Error' }, { properties: { error: { enum: [...some] } } }] }
      return [status, { description: [...some].map((code) => `\`${code}\``).join(', '), content: json(schema) }]
    }),
  )
}

function paramsOf(name: string): object[] {
  return [...name.matchAll(/\{(\w+)\}/g)].map(([, param]) => {
    return { name: param, in: 'path', required: true, schema: { type: 'string' } }
  })
}

function queryOf(query: JsonSchema | undefined): object[] {
  const { properties = {}, required = [] } = query ?? {}
  return Object.entries(Object(properties)).map(([name, schema]) => {
    return { name, in: 'query', required: Array.isArray(required) && required.includes(name), schema }
  })
}
