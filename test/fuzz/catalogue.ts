import { z } from 'zod'
import type { ServiceModule } from '../../src/modules/define.ts'
import { modules } from '../../src/modules/index.ts'
import { frameworkCodes } from '../../src/protocol/codes.ts'
import { createRegistry } from '../../src/rpc/registry.ts'

/** The parts of JSON Schema that the schemas of inputs use. */
const Shape = z.looseObject({
  /** The first of several, as of `null` or a text. */
  type: z.union([z.string(), z.array(z.string()).transform(([first]) => first)]).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  items: z.unknown().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  pattern: z.string().optional(),
})
export type Shape = z.infer<typeof Shape>

/** A method or subscription as a fuzzer sees it. */
export interface Target {
  readonly type: string
  readonly input: unknown
  /** The codes that its handler may fail with. */
  readonly errors: readonly string[]
}

const builtins = {
  'rpc.ping': z.object({}),
  'rpc.unsubscribe': z.object({ channel: z.string() }),
}

const entries = [...createRegistry(Object.values(modules)).values()]

/** All methods and subscriptions of the server, from its own registry. */
export const targets: readonly Target[] = [
  ...entries.map(({ type, definition: { input, errors } }) => ({ type, input: toShape(input), errors })),
  ...Object.entries(builtins).map(([type, input]) => ({ type, input: toShape(input), errors: [] })),
]

/** An HTTP address that modules serve besides `/rpc`. */
export interface FuzzedAddress {
  readonly method: string
  /** With names in braces. */
  readonly path: string
  readonly body: unknown
}

export const addresses: readonly FuzzedAddress[] = Object.values<ServiceModule>(modules).flatMap(({ routes = [] }) =>
  routes.map((route) => ({
    method: route.method,
    path: route.path,
    body: route.kind === 'method' && route.body ? toShape(route.body) : {},
  })),
)

/** Every code that an answer may carry. */
export const knownCodes: ReadonlySet<string> = new Set([
  ...frameworkCodes,
  ...entries.flatMap(({ definition }) => [...definition.errors]),
])

export function readShape(value: unknown): Shape {
  return Shape.parse(value)
}

function toShape(schema: z.ZodType): unknown {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
}
