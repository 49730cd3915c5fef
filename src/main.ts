import { CLOSE_MS, startApp } from './app.ts'
import { ConfigError, readConfig } from './config.ts'

/** On top of what the app allows itself to close: a process that hangs all the same is ended. */
const LAST_RESORT_MS = 1_000

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

try {
  const config = readConfig(process.env)
  const app = await startApp(config)
  // The public URL and no other: cookies and share links belong to its host.
  const url = config.port === 0 ? app.url : config.publicUrl
  // For people a sentence, for those who collect logs a line like the others.
  if (config.production) app.platform.log.app.info({ url }, `Rally is ready at ${url}`)
  else process.stdout.write(`\nRally is ready at ${url}\n\n`)
  const stop = (signal: NodeJS.Signals) => {
    const stopMs = config.drainMs + CLOSE_MS + LAST_RESORT_MS
    setTimeout(() => fail(`Rally did not stop within ${stopMs} ms of ${signal}`), stopMs).unref()
    app.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(`Rally stopped with errors: ${String(error)}`),
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
} catch (error) {
  if (error instanceof ConfigError) fail(`Rally cannot start. The environment is not right:\n${error.message}`)
  fail(`Rally cannot start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
}
