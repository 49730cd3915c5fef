import { z } from 'zod'
import type { Call } from './call.ts'
import { type AnyDefinition, type AnyMethod, definers } from './definition.ts'
import { TYPE } from './envelope.ts'
import { MethodLimiter } from './method-limits.ts'
import type { Module } from './module.ts'
import { RequestStats } from './request-stats.ts'
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
      const limiter = definition.limit ? new MethodLimiter(definition.limit) : null
      const awaits = definition.kind === 'subscription'
      const binary = definition.kind === 'method' ? definition.binary : undefined
      entries.set(type, { type, definition, binary, limiter, awaits, stats: new RequestStats() })
    }
  }
  return entries
}

export function isInput({ definition }: Entry): boolean {
  return definition.kind === 'method' && definition.effect === 'input'
}

/** Anybody may ask for it, and it changes nothing. */
export function isPublicRead({ definition }: Entry): boolean {
  return definition.access === 'anyone' && (definition.kind === 'subscription' || definition.effect === 'read')
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
