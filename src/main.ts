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
  for (const warning of config.warnings) app.platform.log.app.warn(warning)
  // The public URL and no other: cookies and share links belong to its host.
  const url = config.port === 0 ? app.url : config.publicUrl
  // For people a sentence, for those who collect logs a line like the others.
  if (config.production) app.platform.log.app.info({ url }, `Rally is ready at ${url}`)
  else process.stdout.write(`\nRally is ready at ${url}\n\n`)
  const stop = (why: string, done: () => void) => {
    const stopMs = config.drainMs + CLOSE_MS + LAST_RESORT_MS
    setTimeout(() => fail(`Rally did not stop within ${stopMs} ms of ${why}`), stopMs).unref()
    app.stop().then(done, (error: unknown) => fail(`Rally stopped after ${why} with errors: ${String(error)}`))
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop(signal, () => process.exit(0)))
  // Whoever keeps Rally running may start it anew; one that stays up and answers nothing helps nobody.
  void app.lost.then((error) => {
    app.platform.log.app.fatal({ err: error }, 'Rally cannot go on')
    stop('that', () => fail(`Rally cannot go on: ${error.message}`))
  })
} catch (error) {
  if (error instanceof ConfigError) fail(`Rally cannot start. The environment is not right:\n${error.message}`)
  fail(`Rally cannot start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
}
