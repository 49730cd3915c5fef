// Loaded before the server: remembers every Map and Set that the server's sources make, so that a soak can name those that are
// not empty at its end.
import { readFileSync } from 'node:fs'
import { findSourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'

const SOURCES = '/src/'

/** A Map or Set that the server holds. */
export interface Held {
  /** Where it is made: `src/rpc/connection.ts:61 readonly #byUser = new Map<...>()`. */
  readonly made: string
  readonly size: number
}

type Collection = Map<unknown, unknown> | Set<unknown>

/** By the place in the script that makes them. */
const made = new Map<string, Set<WeakRef<Collection>>>()
const idle = new WeakMap<Collection, number>()

/** Notes what the server holds without clients. */
export function noteIdle(): void {
  for (const [, one] of living()) idle.set(one, one.size)
}

/** Forgets what is garbage, so that this file keeps no memory. Collect garbage before, in an earlier turn of the event loop. */
export function forgetGarbage(): void {
  for (const _ of living());
}

/** What holds more than without clients. Collect garbage before, in an earlier turn of the event loop. */
export function grown(): Held[] {
  return [...living()].flatMap(([place, one]) => {
    return one.size > (idle.get(one) ?? 0) ? [{ made: inSource(place), size: one.size }] : []
  })
}

function* living(): Generator<[place: string, one: Collection]> {
  for (const [place, refs] of made) {
    for (const ref of refs) {
      const one = ref.deref()
      if (one) yield [place, one]
      else refs.delete(ref)
    }
  }
}

function track<C extends MapConstructor | SetConstructor>(original: C): C {
  return new Proxy(original, {
    construct(target, args, newTarget) {
      const one: Collection = Reflect.construct(target, args, newTarget)
      const place = callerOf(this.construct)
      if (place?.includes(SOURCES)) {
        const refs = made.get(place) ?? new RealSet()
        made.set(place, refs.add(new WeakRef(one)))
      }
      return one
    },
  })
}

/** `file:///script.ts:line:column` of the code that called `callee`. */
function callerOf(callee: unknown): string | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error
  const error: { stack?: readonly NodeJS.CallSite[] } = {}
  Error.stackTraceLimit = 1
  Error.prepareStackTrace = (_, sites) => sites
  Error.captureStackTrace(error, callee as () => void)
  const site = error.stack?.[0]
  Error.prepareStackTrace = prepareStackTrace
  Error.stackTraceLimit = stackTraceLimit
  return site && `${site.getFileName()}:${site.getLineNumber()}:${site.getColumnNumber()}`
}

function inSource(place: string): string {
  const [, script = '', line = '1', column = '1'] = /^(.*):(\d+):(\d+)$/.exec(place) ?? []
  const entry = findSourceMap(script)?.findEntry(Number(line) - 1, Number(column) - 1)
  const original = entry && 'originalLine' in entry ? entry.originalLine + 1 : Number(line)
  const file = script.startsWith('file:') ? fileURLToPath(script) : script
  const text = readFileSync(file, 'utf8').split('\n')[original - 1]?.trim() ?? ''
  return `${file.slice(file.lastIndexOf(SOURCES) + 1)}:${original} ${text}`
}

const RealSet = Set
globalThis.Map = track(Map)
globalThis.Set = track(Set)
