import { type Attributes, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Log } from '../logger.ts'
import type { TracingSettings } from '../tracing-settings.ts'
import type { SpanOptions, SpanRecorder, SpanRecorderOptions, TracedSpan } from './span-recorder.ts'

/** Spans that wait for their export; more are dropped. */
const MAX_QUEUE = 2_048
const MAX_BATCH = 512
const BATCH_EVERY_MS = 1_000
/** For one export with its repetitions. */
const EXPORT_MS = 3_000
/** Between two warnings that spans cannot be exported. */
const WARN_EVERY_MS = 60_000

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const

/** Records spans and exports them in batches, by OTLP over HTTP with JSON. */
export function createSpanRecorder({ settings, node, version, log }: SpanRecorderOptions): SpanRecorder {
  const exporter = new OTLPTraceExporter({
    url: `${settings.endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers: { ...settings.headers },
    timeoutMillis: EXPORT_MS,
    concurrencyLimit: 2,
  })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': settings.serviceName,
      'service.version': version,
      'service.instance.id': node,
      ...settings.resourceAttributes,
    }),
    sampler: samplerOf(settings),
    spanLimits: { attributeCountLimit: 32, attributeValueLengthLimit: 256, eventCountLimit: 8, linkCountLimit: 8 },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: warning(exporter, log),
        maxQueueSize: MAX_QUEUE,
        maxExportBatchSize: MAX_BATCH,
        scheduledDelayMillis: BATCH_EVERY_MS,
        exportTimeoutMillis: EXPORT_MS,
      }),
    ],
  })
  const tracer = provider.getTracer('rally', version)

  return {
    begin(name, { kind, attributes, parent }) {
      const context = parentContext(parent)
      const span = tracer.startSpan(name, { kind: kinds[kind], attributes, root: parent === undefined }, context)
      return span.isRecording() ? traced(span) : undefined
    },
    close: () => provider.shutdown(),
  }
}

function traced(span: Span): TracedSpan {
  const { traceId, spanId } = span.spanContext()
  return {
    traceId,
    spanId,
    end(attributes: Attributes, isError: boolean) {
      span.setAttributes(attributes)
      if (isError) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end()
    },
  }
}

function parentContext(parent: SpanOptions['parent']) {
  if (!parent) return ROOT_CONTEXT
  const { traceId, spanId, isRemote = false } = parent
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, isRemote, traceFlags: 1 })
}

function samplerOf({ sampler, samplerRatio }: TracingSettings): Sampler {
  const [, parentBased, kind] = /^(parentbased_)?(.*)$/.exec(sampler) ?? []
  const root =
    kind === 'always_off'
      ? new AlwaysOffSampler()
      : kind === 'traceidratio'
        ? new TraceIdRatioBasedSampler(samplerRatio)
        : new AlwaysOnSampler()
  return parentBased ? new ParentBasedSampler({ root }) : root
}

/** Warns of failed exports, not more often than once a minute. */
function warning(exporter: SpanExporter, log: Log): SpanExporter {
  let warnedAt = Number.NEGATIVE_INFINITY
  let lost = 0
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.code !== 0) {
          lost += spans.length
          const now = performance.now()
          if (now - warnedAt >= WARN_EVERY_MS) {
            log.warn({ err: result.error, lost }, 'traces cannot be exported')
            warnedAt = now
            lost = 0
          }
        }
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  }
}
