import { startApp } from './app.ts'
import { ConfigError, readConfig } from './config.ts'

/** Longest time from a signal to the end of the process. */
const STOP_MS = 10_000

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
    setTimeout(() => fail(`Rally did not stop within ${STOP_MS} ms of ${signal}`), STOP_MS).unref()
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
