import { OtlpReceiver } from '../tracing/otlp-receiver.ts'
import { type Exposed, Secrets } from './secrets.ts'
import { type Rally, type RallyOptions, startRally } from './server.ts'

/** A Rally whose log at debug, traces and metrics are kept, to be searched for the secrets of a run. */
export interface WatchedRally extends Rally {
  /** Those of its settings. A test adds what it uses. */
  readonly secrets: Secrets
  /** Stops it. Gives all that it showed: each line of its log, each export of traces, and its metrics. */
  exposed(): Promise<Exposed[]>
}

const METRICS_TOKEN = 'the-token-of-a-watched-rally'
const MAX_LINES = 200_000

export async function startWatchedRally(options: RallyOptions = {}): Promise<WatchedRally> {
  const receiver = await OtlpReceiver.start()
  const lines: string[] = []
  const rally = await startRally({
    ...options,
    writeLogLine(line) {
      if (lines.length < MAX_LINES) lines.push(line)
    },
    config: {
      metricsToken: METRICS_TOKEN,
      ...options.config,
      logLevel: 'debug',
      tracing: {
        endpoint: receiver.endpoint,
        headers: {},
        sampler: 'always_on',
        samplerRatio: 1,
        serviceName: 'rally',
        resourceAttributes: {},
      },
    },
  })
  const secrets = new Secrets()
  secrets.addConfig(rally.config)
  const stop = async () => {
    await rally.stop()
    await receiver[Symbol.asyncDispose]()
  }
  return {
    ...rally,
    stop,
    [Symbol.asyncDispose]: stop,
    secrets,
    async exposed() {
      const headers = { Authorization: `Bearer ${METRICS_TOKEN}` }
      const metrics = await (await fetch(`${rally.url}/metrics`, { headers })).text()
      await stop()
      return [
        ...lines.map((text) => ({ where: 'the log', text })),
        ...receiver.bodies.map((text) => ({ where: 'the traces', text })),
        ...metrics.split('\n').map((text) => ({ where: 'the metrics', text })),
      ]
    },
  }
}
