import type { AnyDefinition, AnyRoute, Module } from '../rpc/index.ts'
import { type JsonSchema, jsonSchemaOf } from './json-schema.ts'

interface Described {
  readonly summary: string
  readonly access: string
  /** The scope that a token needs; `none`: no token may; `any`: every token may. */
  readonly scope: string
  readonly limit?: { readonly points: number; readonly perSeconds: number }
  /** Codes of its own, beside those that any request may fail with. */
  readonly errors: readonly string[]
  readonly input: JsonSchema
}

export interface DescribedMethod extends Described {
  readonly effect: 'read' | 'write' | 'input'
  readonly output: JsonSchema
}

export interface DescribedSubscription extends Described {
  readonly delivery: 'reliable' | 'latest'
  readonly snapshot: JsonSchema
  readonly event: JsonSchema
}

/** An HTTP address besides `/rpc`. */
export interface DescribedRoute {
  readonly module: string
  readonly summary: string
  /** The method that it calls; absent for files. */
  readonly calls?: string
  readonly query?: JsonSchema
  readonly body?: JsonSchema
  readonly status: number
  /** Absent for files. */
  readonly output?: JsonSchema
  readonly contentTypes?: readonly string[]
}

/** All that clients may rely on, as plain JSON. Keys are wire names; those of routes are `GET /api/scores`. */
export interface Contract {
  readonly methods: Readonly<Record<string, DescribedMethod>>
  readonly subscriptions: Readonly<Record<string, DescribedSubscription>>
  readonly routes: Readonly<Record<string, DescribedRoute>>
}

/** What these modules offer. */
export function describeContract(modules: readonly Module[]): Contract {
  const methods: Record<string, DescribedMethod> = {}
  const subscriptions: Record<string, DescribedSubscription> = {}
  const routes: Record<string, DescribedRoute> = {}
  for (const module of modules) {
    for (const [name, method] of Object.entries(module.methods)) {
      const { effect, output } = method
      methods[`${module.name}.${name}`] = { effect, ...describe(method), output: jsonSchemaOf(output, 'output') }
    }
    for (const [name, subscription] of Object.entries(module.subscriptions)) {
      const { delivery, snapshot, event } = subscription
      subscriptions[`${module.name}.${name}`] = {
        delivery,
        ...describe(subscription),
        snapshot: jsonSchemaOf(snapshot, 'output'),
        event: jsonSchemaOf(event, 'output'),
      }
    }
    for (const route of module.routes ?? []) routes[`${route.method} ${route.path}`] = describeRoute(module, route)
  }
  return { methods, subscriptions, routes }
}

function describe({ summary, access, scope, limit, errors, input }: AnyDefinition): Described {
  return {
    summary,
    access,
    scope,
    ...(limit && { limit: { points: limit.points, perSeconds: limit.perSeconds } }),
    errors: errors.toSorted(),
    input: jsonSchemaOf(input, 'input'),
  }
}

function describeRoute({ name, methods }: Module, route: AnyRoute): DescribedRoute {
  const { summary } = route
  if (route.kind === 'file') return { module: name, summary, status: 200, contentTypes: route.contentTypes }
  const [called] = Object.entries(methods).find(([, method]) => method === route.calls) ?? []
  return {
    module: name,
    summary,
    calls: `${name}.${called}`,
    ...(route.query && { query: jsonSchemaOf(route.query, 'input') }),
    ...(route.body && { body: jsonSchemaOf(route.body, 'input') }),
    status: route.status ?? 200,
    output: jsonSchemaOf(route.output, 'output'),
  }
}
