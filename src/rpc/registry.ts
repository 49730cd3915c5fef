import type { AnyDefinition, AnyMethod, Module } from './definition.ts'
import { MethodLimiter } from './limits.ts'
import { TYPE } from './read-envelope.ts'

/** One definition under its wire name, with what is counted of it. */
export interface Entry {
  readonly type: string
  readonly definition: AnyDefinition
  /** Null where the definition declares no limit. */
  readonly limiter: MethodLimiter | null
  /** Its handler has something to wait for, as far as it is known. */
  awaits: boolean
  calls: number
  failures: number
  /** Time from a request's arrival to its answer, summed, ms. */
  totalMs: number
}

/**
 * All definitions by wire name.
 *
 * @throws Error when two have the same name, or one has a name that the envelope cannot carry.
 */
export function createRegistry(modules: readonly Module[]): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>()
  for (const module of modules) {
    for (const [name, definition] of [...Object.entries(module.methods), ...Object.entries(module.subscriptions)]) {
      const type = `${module.name}.${name}`
      if (!TYPE.test(type)) throw new Error(`No envelope can carry the name ${type}`)
      if (entries.has(type)) throw new Error(`Two definitions are named ${type}`)
      const limiter = definition.limit ? new MethodLimiter(definition.limit) : null
      const awaits = definition.kind === 'subscription'
      entries.set(type, { type, definition, limiter, awaits, calls: 0, failures: 0, totalMs: 0 })
    }
  }
  return entries
}

/** An input that also comes in binary frames. */
export interface BinaryEntry {
  readonly entry: Entry
  readonly binary: NonNullable<AnyMethod['binary']>
}

export function binaryEntries(entries: ReadonlyMap<string, Entry>): readonly BinaryEntry[] {
  return [...entries.values()].flatMap((entry) => {
    const { definition } = entry
    return definition.kind === 'method' && definition.binary ? [{ entry, binary: definition.binary }] : []
  })
}

export function isInput({ definition }: Entry): boolean {
  return definition.kind === 'method' && definition.effect === 'input'
}

/** Whether anybody may ask for it, and it changes nothing. */
export function isPublicRead({ definition }: Entry): boolean {
  return definition.access === 'anyone' && (definition.kind === 'subscription' || definition.effect === 'read')
}
