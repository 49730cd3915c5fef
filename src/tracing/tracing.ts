import { z } from 'zod'
import type { NodeCallObserver } from '../bus/node-calls.ts'
import type { StatementObserver } from '../db/observed-statements.ts'
import { withDeadline } from '../deadline.ts'
import type { Loggers } from '../logger.ts'
import type { Call, CallObserver } from '../rpc/index.ts'
import type { RequestObserver } from '../server/http.ts'
import type { TracingSettings } from '../tracing-settings.ts'
import type { Attributes, SpanOptions, SpanParent, SpanRecorder } from './span-recorder.ts'
import { type CurrentWork, sqlComment, traceparentOf, type Work } from './work.ts'

export interface TracingOptions {
  /** Undefined: nothing is exported. */
  readonly settings: TracingSettings | undefined
  readonly log: Loggers
  readonly current: CurrentWork
  readonly node: string
  readonly version: string
}

/**
 * Starts what follows calls through the parts of a server: lines of the log at debug, comments in SQL, and spans where traces are
 * exported. Undefined when nobody wants any of it, so that it costs nothing.
 */
export async function startTracing(options: TracingOptions): Promise<Tracing | undefined> {
  const { settings, log, node, version } = options
  if (!settings) return log.rpc.isLevelEnabled('debug') ? new Tracing(options, undefined) : undefined
  // Loaded here alone: OpenTelemetry takes memory and time to load.
  const { createSpanRecorder } = await import('./spans.ts')
  return new Tracing(options, createSpanRecorder({ settings, node, version, log: log.app }))
}

/** Outcomes that are no fault of the client. */
const FAILURES: ReadonlySet<string> = new Set(['INTERNAL', 'TIMEOUT', 'UNAVAILABLE'])

const CLOSE_MS = 500

/** What another node is told of the work that a call to it belongs to. */
const Context = z.object({
  callId: z.string().max(64).optional(),
  action: z.string().max(128),
  traceparent: z
    .string()
    .regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    .optional(),
})

export class Tracing implements CallObserver, StatementObserver, NodeCallObserver, RequestObserver {
  readonly #current: CurrentWork
  readonly #log: Loggers
  readonly #recorder: SpanRecorder | undefined
  readonly #isDebug: boolean

  constructor({ current, log }: TracingOptions, recorder: SpanRecorder | undefined) {
    this.#current = current
    this.#log = log
    this.#recorder = recorder
    this.#isDebug = log.rpc.isLevelEnabled('debug')
  }

  observe(call: Call, run: (answered: (outcome: string) => void) => void): void {
    const { type, logFields } = call
    const [service = '', method = ''] = type.split('.')
    const { callId, eid, userId } = logFields
    const work = this.#begin(type, callId, {
      kind: 'server',
      attributes: {
        'rpc.system': 'rally',
        'rpc.service': service,
        'rpc.method': method,
        'rally.call_id': callId,
        'rally.eid': eid,
        'network.protocol.name': call.connection ? 'websocket' : 'http',
        ...(userId && { 'user.id': userId }),
      },
    })
    if (!work) {
      run(() => undefined)
      return
    }
    const startedAt = performance.now()
    this.#current.run(work, () =>
      run((outcome) => {
        const ms = Math.round((performance.now() - startedAt) * 100) / 100
        const traceId = work.span && { traceId: work.span.traceId }
        this.#end(work, { 'rally.outcome': outcome }, FAILURES.has(outcome))
        if (this.#isDebug) this.#log.rpc.debug({ type, ...logFields, ...traceId, ms, outcome }, 'a request')
      }),
    )
  }

  statement(name: string) {
    const work = this.#current.get()
    if (!work) return undefined
    const span = this.#child(work, name, {
      kind: 'client',
      attributes: { 'db.system.name': 'postgresql', 'db.query.summary': name },
    })
    return {
      comment: sqlComment(work, span),
      ended: (error: unknown) => span?.end(sqlState(error), error !== null && error !== undefined),
    }
  }

  leaves(kind: 'ask' | 'tell', name: string, node: string) {
    const work = this.#current.get()
    if (!work) return undefined
    const span = this.#child(work, `${kind} ${name}`, {
      kind: kind === 'ask' ? 'client' : 'producer',
      attributes: { 'rally.node': node },
    })
    const { callId, action } = work
    return {
      context: { ...(callId && { callId }), action, ...(span && { traceparent: traceparentOf(span) }) },
      ended: (error?: unknown) => span?.end({}, error !== undefined),
    }
  }

  arrives<T>(kind: 'ask' | 'tell', name: string, from: string, context: unknown, run: () => T): T {
    const sent = Context.safeParse(context)
    if (!sent.success) return run()
    const { callId, action, traceparent } = sent.data
    const [, traceId = '', spanId = ''] = traceparent?.split('-') ?? []
    const parent: SpanParent | undefined = traceparent === undefined ? undefined : { traceId, spanId, isRemote: true }
    const span =
      parent &&
      this.#recorder?.begin(`${kind === 'ask' ? 'answer' : 'told'} ${name}`, {
        kind: kind === 'ask' ? 'server' : 'consumer',
        attributes: { 'rally.node': from },
        parent,
      })
    if (!span && !this.#isDebug) return run()
    const work: Work = { callId, action, span, isOver: false }
    return this.#through(work, run)
  }

  request(route: string, method: string, run: (answered: (status: string) => void) => void): void {
    const name = `${method.toUpperCase()} ${route}`
    const attributes = { 'http.request.method': method.toUpperCase(), 'http.route': route }
    const work = this.#begin(name, undefined, { kind: 'server', attributes })
    if (!work) {
      run(() => undefined)
      return
    }
    this.#current.run(work, () =>
      run((status) => {
        const code = Number.parseInt(status, 10)
        const outcome = Number.isNaN(code) ? { 'rally.outcome': status } : { 'http.response.status_code': code }
        this.#end(work, outcome, code >= 500)
      }),
    )
  }

  /** Runs work that no call asked for, as one span. */
  run<T>(name: string, attributes: Attributes, run: () => Promise<T>): Promise<T> {
    const work = this.#begin(name, undefined, { kind: 'internal', attributes })
    return work ? this.#through(work, run) : run()
  }

  /** Exports what has not been exported, if the collector takes it at once. */
  async close(): Promise<void> {
    if (!this.#recorder) return
    try {
      await withDeadline(this.#recorder.close(), CLOSE_MS)
    } catch (error) {
      this.#log.app.warn({ err: error }, 'the last traces could not be exported')
    }
  }

  /** Undefined when it is neither traced nor logged in detail. */
  #begin(action: string, callId: string | undefined, options: SpanOptions): Work | undefined {
    const span = this.#recorder?.begin(action, options)
    if (!span && !this.#isDebug) return undefined
    return { callId, action, span, isOver: false }
  }

  #child({ span }: Work, name: string, options: SpanOptions) {
    return span && this.#recorder?.begin(name, { ...options, parent: span })
  }

  /** The work is over when what `run` gives is settled. */
  #through<T>(work: Work, run: () => T): T {
    const ended = () => this.#end(work, {}, false)
    const failed = () => this.#end(work, {}, true)
    try {
      const result = this.#current.run(work, run)
      if (result instanceof Promise) result.then(ended, failed)
      else ended()
      return result
    } catch (error) {
      failed()
      throw error
    }
  }

  #end(work: Work, attributes: Attributes, isError: boolean): void {
    if (work.isOver) return
    work.isOver = true
    work.span?.end(attributes, isError)
  }
}

/** The code of an error of Postgres. Its message may quote values. */
function sqlState(error: unknown): Attributes {
  if (typeof error !== 'object' || error === null || !('code' in error)) return {}
  return typeof error.code === 'string' ? { 'db.response.status_code': error.code } : {}
}
