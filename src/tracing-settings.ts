import type { Environment } from './environment.ts'

/** The samplers of OpenTelemetry's specification. Those with `parentbased` keep what the node that asked keeps. */
const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const

/** Where traces are exported, and which. */
export interface TracingSettings {
  /** Where OTLP over HTTP is taken, without `/v1/traces`. */
  readonly endpoint: string
  /** Sent with each export. */
  readonly headers: Readonly<Record<string, string>>
  readonly sampler: (typeof SAMPLERS)[number]
  /** For the samplers `traceidratio`: the share of traces to keep, 0 to 1. */
  readonly samplerRatio: number
  readonly serviceName: string
  readonly resourceAttributes: Readonly<Record<string, string>>
}

/** The standard variables of OpenTelemetry. */
export function readTracing(env: Environment): TracingSettings | undefined {
  const endpoint = env.url('OTEL_EXPORTER_OTLP_ENDPOINT', /^https?:$/, 'http://collector:4318')
  const tracing = {
    headers: readPairs(env, 'OTEL_EXPORTER_OTLP_HEADERS'),
    sampler: env.oneOf('OTEL_TRACES_SAMPLER', 'parentbased_always_on', SAMPLERS),
    samplerRatio: readRatio(env),
    serviceName: env.text('OTEL_SERVICE_NAME') ?? 'rally',
    resourceAttributes: readPairs(env, 'OTEL_RESOURCE_ATTRIBUTES'),
  }
  return endpoint === undefined ? undefined : { endpoint, ...tracing }
}

/** `key=value` pairs, separated by commas, with percent-encoded values (the W3C's baggage format). */
function readPairs(env: Environment, name: string): Readonly<Record<string, string>> {
  const pairs: Record<string, string> = {}
  for (const part of (env.text(name) ?? '').split(',').filter((each) => each.trim() !== '')) {
    const at = part.indexOf('=')
    const value = at > 0 ? decoded(part.slice(at + 1).trim()) : undefined
    // The values of headers are secrets, so they are not repeated.
    if (value === undefined) env.refuse(name, 'is no list like key=value,other=value')
    else pairs[part.slice(0, at).trim()] = value
  }
  return pairs
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function readRatio(env: Environment): number {
  const text = env.text('OTEL_TRACES_SAMPLER_ARG') ?? '1'
  const ratio = Number(text)
  if (ratio >= 0 && ratio <= 1) return ratio
  env.refuse('OTEL_TRACES_SAMPLER_ARG', `"${text}" is no number from 0 to 1`)
  return 1
}

/** The text that `readPairs` reads. */
export function pairsOf(pairs: object): string {
  return Object.entries(pairs)
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
    .join(',')
}
