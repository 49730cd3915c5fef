import { AsyncLocalStorage } from 'node:async_hooks'
import type { TracedSpan } from './span-recorder.ts'

/** On whose behalf code runs: a call, an HTTP request, a message of another node, or work that nobody asked for. */
export interface Work {
  /** The id of the call that all this began with. Undefined where no call did. */
  readonly callId: string | undefined
  /** What it does: `matches.join`. */
  readonly action: string
  /** Undefined when it is not traced. */
  readonly span: TracedSpan | undefined
  /** What it started and left running, such as timers, does not belong to it any more. */
  isOver: boolean
}

/** Finds the work that the running code belongs to, across awaits. It costs nothing until the first work is entered. */
export class CurrentWork {
  readonly #storage = new AsyncLocalStorage<Work>()

  get(): Work | undefined {
    const work = this.#storage.getStore()
    return work?.isOver ? undefined : work
  }

  run<T>(work: Work, run: () => T): T {
    return this.#storage.run(work, run)
  }

  /** What lines of the log have besides their own fields. */
  logFields(): { callId?: string; traceId?: string } {
    const { callId, span } = this.get() ?? {}
    return { ...(callId && { callId }), ...(span && { traceId: span.traceId }) }
  }
}

/** The W3C's `traceparent` header of a span that is recorded. */
export function traceparentOf({ traceId, spanId }: TracedSpan): string {
  return `00-${traceId}-${spanId}-01`
}

/**
 * A comment for the front of a statement, in the format of sqlcommenter: keys in order, values percent-encoded. At the end,
 * where sqlcommenter has it, it would be missing from `pg_stat_activity`, which shows the first 1,024 bytes of a statement.
 */
export function sqlComment({ callId, action }: Work, span: TracedSpan | undefined): string {
  const pairs = [`action='${encode(action)}'`]
  if (callId !== undefined) pairs.push(`call_id='${encode(callId)}'`)
  if (span) pairs.push(`traceparent='${traceparentOf(span)}'`)
  return `/*${pairs.join(',')}*/ `
}

/** No character of the result ends a comment or a value. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll("'", '%27').replaceAll('*', '%2A')
}
