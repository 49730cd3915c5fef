import { AddonError, type App, ConfigError, startRally } from './rally.ts'

/** How much longer than Rally's own limits a stop may take before the process is ended. */
const LAST_RESORT_MS = 1_000
/** A terminal sends a signal to npm and to this process, and npm passes it on: that is one signal. */
const SAME_SIGNAL_MS = 500

const starting = new AbortController()
/** What a signal does: it changes when Rally has started. */
let stop = (_why: string): void => starting.abort()
// This comes before the start, so that an early signal leaves nothing running.
let signalledAt: number | undefined
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    const now = performance.now()
    signalledAt ??= now
    if (signalledAt === now) stop(signal)
    else if (now - signalledAt > SAME_SIGNAL_MS) fail(`Rally was ended by a second signal, ${signal}`)
  })
}

try {
  run(await startRally({ signal: starting.signal }))
} catch (error) {
  if (starting.signal.aborted) process.exit(0)
  if (error instanceof ConfigError) fail(`Rally cannot start. The environment is not right:\n${error.message}`)
  if (error instanceof AddonError) fail(`Rally cannot start. ${error.message}`)
  fail(`Rally cannot start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
}

function run(app: App): void {
  const { config, log } = app.platform
  let failure: Error | undefined
  const done = () => (failure ? fail(`Rally cannot go on: ${failure.message}`) : process.exit(0))
  const end = (why: string, drainMs?: number) => {
    const stopMs = app.maxStopMs + LAST_RESORT_MS
    setTimeout(() => fail(`Rally did not stop within ${stopMs} ms of ${why}`), stopMs).unref()
    app.stop(drainMs).then(done, (error: unknown) => fail(`Rally stopped after ${why} with errors: ${String(error)}`))
  }
  stop = (why) => end(why)
  for (const warning of config.warnings) log.app.warn(warning)
  // Only the public URL: cookies and join links belong to its host.
  const url = config.port === 0 ? app.url : config.publicUrl
  // A sentence for people; in production a log line like the others.
  if (config.production) log.app.info({ url }, `Rally is ready at ${url}`)
  else process.stdout.write(`\nRally is ready at ${url}\n\n`)
  // A process that cannot serve ends, so that its supervisor can restart it.
  void app.failed.then((error) => {
    log.app.fatal({ err: error }, 'Rally cannot go on')
    // It may be leaving already.
    failure = error
    end('that', 0)
  })
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
