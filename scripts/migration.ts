// Writes the migration that leads from the last migration's schema to prisma/schema.prisma:
//   npx tsx scripts/migration.ts <name>           the difference, to be read and completed by hand
//   npx tsx scripts/migration.ts <name> --empty   a file for SQL of which Prisma knows nothing
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts'
import { MIGRATIONS_DIR } from '../src/db/migrate.ts'
import { diffSchemas, openSchemaEngine } from '../src/db/schema-engine.ts'
import type { Log } from '../src/logger.ts'

const SCHEMA = fileURLToPath(new URL('../prisma/schema.prisma', import.meta.url))
/** What the migrations so far add up to. */
const LAST_SCHEMA = join(MIGRATIONS_DIR, 'schema.prisma')

const [name, flag] = process.argv.slice(2)
if (name === undefined || !/^[a-z0-9_]+$/.test(name) || (flag !== undefined && flag !== '--empty')) {
  process.stderr.write('usage: npx tsx scripts/migration.ts <name in a-z 0-9 _> [--empty]\n')
  process.exit(2)
}

const script = flag === '--empty' ? '-- Write the SQL here.\n' : await difference()
if (script === undefined) {
  process.stderr.write('prisma/schema.prisma has not changed since the last migration; --empty writes one by hand\n')
  process.exit(1)
}
const timestamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
const folder = join(MIGRATIONS_DIR, `${timestamp}_${name}`)
await mkdir(folder, { recursive: true })
await writeFile(join(folder, 'migration.sql'), script)
await copyFile(SCHEMA, LAST_SCHEMA)
process.stdout.write(`wrote ${join(folder, 'migration.sql')}\n`)

/** The engine compares texts only, but wants a database to be connected to: an empty one of its own. */
async function difference(): Promise<string | undefined> {
  const [from, to] = await Promise.all([readFile(LAST_SCHEMA, 'utf8').catch(() => undefined), readFile(SCHEMA, 'utf8')])
  const dataDir = await mkdtemp(join(tmpdir(), 'rally-migration-'))
  const silent = () => undefined
  const log: Log = { debug: silent, info: silent, warn: silent, error: silent }
  const postgres = await startEmbeddedPostgres({ dataDir, log, durable: false })
  try {
    const connection = { url: postgres.url, connectTimeoutMs: 10_000, statementTimeoutMs: 60_000 }
    const { engine, close } = await openSchemaEngine({ ...connection, schema: to, log })
    return await diffSchemas(engine, from, to).finally(close)
  } finally {
    await postgres.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}
