import { z } from 'zod'
import type { Call } from './call.ts'
import { type AnyDefinition, type AnyMethod, definers } from './definition.ts'
import { TYPE } from './envelope.ts'
import { MethodLimiter } from './method-limits.ts'
import type { Module } from './module.ts'
import { RequestStats } from './request-stats.ts'
import type { AnyFileRoute, AnyRoute } from './route.ts'
import type { Hub } from './stream-hub.ts'

/** One definition with its wire name and its statistics. */
export interface Entry {
  readonly type: string
  readonly definition: AnyDefinition
  /** Of an input that also comes in binary frames. */
  readonly binary: AnyMethod['binary']
  /** Null where the definition declares no limit. */
  readonly limiter: MethodLimiter | null
  /** Its handler has returned a promise before: it may wait for the database. */
  awaits: boolean
  /** A caller without a user has to have one of the places for anonymous reads while it waits. */
  readonly needsPlace: boolean
  readonly stats: RequestStats
}

/** All definitions by wire name. @throws Error when two have the same name, or no envelope can carry a name */
export function createRegistry(modules: readonly Module[]): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>()
  for (const module of modules) {
    for (const [name, definition] of [...Object.entries(module.methods), ...Object.entries(module.subscriptions)]) {
      const type = `${module.name}.${name}`
      if (!TYPE.test(type)) throw new Error(`No envelope can carry the name ${type}`)
      if (entries.has(type)) throw new Error(`Two definitions are named ${type}`)
      entries.set(type, createEntry(type, definition))
    }
  }
  return entries
}

function createEntry(type: string, definition: AnyDefinition): Entry {
  const isStream = definition.kind === 'subscription'
  return {
    type,
    definition,
    binary: isStream ? undefined : definition.binary,
    limiter: definition.limit ? new MethodLimiter(definition.limit) : null,
    awaits: isStream,
    // Anybody may ask for it, and it changes nothing.
    needsPlace: definition.access === 'anyone' && (isStream || definition.effect === 'read'),
    stats: new RequestStats(),
  }
}

/** A route with what it is called, limited and counted as: its method's entry, or one of its own that no frame reaches. */
export interface BoundRoute {
  readonly route: AnyRoute
  readonly entry: Entry
}

/** All HTTP routes of these modules. @throws Error when one calls a method that is not of its module */
export function bindRoutes(modules: readonly Module[], entries: ReadonlyMap<string, Entry>): readonly BoundRoute[] {
  return modules.flatMap(({ name, methods, routes = [] }) =>
    routes.map((route) => {
      if (route.kind === 'file') return { route, entry: fileEntry(name, route) }
      const [called] = Object.entries(methods).find(([, method]) => method === route.calls) ?? []
      const entry = called === undefined ? undefined : entries.get(`${name}.${called}`)
      if (!entry) throw new Error(`${route.method} ${route.path} calls no method of the module ${name}`)
      return { route, entry }
    }),
  )
}

/** Pictures come by the dozen, and a browser does not ask again: they wait for their turn in the transport. */
function fileEntry(module: string, { path, summary, limit, serve }: AnyFileRoute): Entry {
  const definition = definers<unknown>().method({
    summary,
    access: 'anyone',
    scope: 'any',
    effect: 'read',
    limit,
    errors: ['NOT_FOUND'],
    input: z.any(),
    output: z.any(),
    handle: ({ ctx, input }) => serve({ ctx, params: input }),
  })
  return { ...createEntry(`${module}.${path}`, definition), needsPlace: false }
}

export function isInput({ definition }: Entry): boolean {
  return definition.kind === 'method' && definition.effect === 'input'
}

const { method } = definers<{ readonly call: Call }>()
const limit = { points: 6000, perSeconds: 60 }
const shared = { access: 'anyone', scope: 'any', effect: 'read', limit, output: z.object({}) } as const

/** `rpc.ping` and `rpc.unsubscribe`, which every server has. Their context needs only the call. */
export function builtins(hub: Hub): { ping: AnyMethod; unsubscribe: AnyMethod } {
  return {
    ping: method({
      summary: 'Answers at once, to measure the round trip and the difference of the clocks.',
      ...shared,
      input: z.object({}),
      handle: () => ({}),
    }),

    /** To leave a channel that the socket does not follow is no error, so that a retry succeeds. */
    unsubscribe: method({
      summary: 'Leaves a channel that the socket follows.',
      ...shared,
      input: z.object({ channel: z.string().min(1).max(200) }),
      handle({ ctx, input }) {
        const { connection } = ctx.call
        if (connection) hub.leave(connection, input.channel)
        return {}
      },
    }),
  }
}
