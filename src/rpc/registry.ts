import type { AnyDefinition, Module } from './definition.ts'

/** One definition under its wire name, with what is counted of it. */
export interface Entry {
  readonly type: string
  readonly definition: AnyDefinition
  calls: number
  failures: number
  /** Time from a request's arrival to its answer, summed, ms. */
  totalMs: number
}

/**
 * All definitions by wire name.
 *
 * @throws Error when two have the same name, or a name that the envelope cannot carry.
 */
export function createRegistry(modules: readonly Module[]): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>()
  for (const module of modules) {
    for (const [name, definition] of [...Object.entries(module.methods), ...Object.entries(module.subscriptions)]) {
      const type = `${module.name}.${name}`
      if (entries.has(type)) throw new Error(`Two definitions are named ${type}`)
      entries.set(type, { type, definition, calls: 0, failures: 0, totalMs: 0 })
    }
  }
  return entries
}
