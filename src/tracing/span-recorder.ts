import type { Log } from '../logger.ts'
import type { TracingSettings } from '../tracing-settings.ts'

// What `spans.ts` offers. That file loads OpenTelemetry, so it is imported only where traces are exported.

export type Attributes = Readonly<Record<string, string | number>>

export interface SpanRecorderOptions {
  readonly settings: TracingSettings
  /** The id of this process. */
  readonly node: string
  readonly version: string
  readonly log: Log
}

/** A span as a parent: of this process, or of another one. */
export interface SpanParent {
  readonly traceId: string
  readonly spanId: string
  readonly isRemote?: boolean
}

/** A span that is recorded. */
export interface TracedSpan extends SpanParent {
  end(attributes: Attributes, isError: boolean): void
}

export interface SpanOptions {
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer'
  readonly attributes: Attributes
  readonly parent?: SpanParent | undefined
}

export interface SpanRecorder {
  /** Undefined when the sampler leaves it out. */
  begin(name: string, options: SpanOptions): TracedSpan | undefined
  /** Exports what waits. Rejects when that fails. */
  close(): Promise<void>
}
