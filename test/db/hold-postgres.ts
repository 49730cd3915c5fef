// A small Rally: starts the embedded Postgres, says so in a line of JSON, and on SIGTERM uses the database once more
// before it stops it and ends with 0.
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { execute } from '../support/postgres.ts'
import { quietLog } from '../support/quiet-log.ts'

const [dataDir = '', flag] = process.argv.slice(2)
const postgres = await startEmbeddedPostgres({ dataDir, log: quietLog, durable: flag === 'durable' })
process.once('SIGTERM', () => {
  void (async () => {
    await execute(postgres.url, 'CREATE TABLE last_words ()')
    await postgres.stop()
  })()
})
// Ctrl-C reaches every process of the terminal's group. This one shuts down in its own order.
process.on('SIGINT', () => undefined)
process.stdout.write(`${JSON.stringify({ pid: postgres.pid, url: postgres.url, adopted: postgres.adopted })}\n`)
