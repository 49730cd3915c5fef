import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { DataDirInUse } from '../../src/db/embedded/data-folder-lock.ts'
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { migrate } from '../../src/db/migrate.ts'
import { quietLog } from './quiet-log.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A Postgres where the tests may create databases. */
    databaseUrl: string
    /** A migrated database there; the names of all databases of this run begin with its name. */
    templateDatabase: string
  }
}

/** One Postgres for the whole run: the one at `DATABASE_URL`, else an embedded one that goes when the run ends. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, stop } = await provideServer(process.env.DATABASE_URL)
  const template = `rally_test_${randomBytes(4).toString('hex')}`
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, query_timeout: 60_000 })
  // Without a listener a lost connection would end the run with nothing but a stack.
  client.on('error', (error) => process.stderr.write(`the tests' Postgres is gone: ${error.message}\n`))
  try {
    await client.connect()
    await client.query(`CREATE DATABASE ${template} TEMPLATE template0`)
    const templateUrl = new URL(url)
    templateUrl.pathname = `/${template}`
    await migrate({ databaseUrl: templateUrl.href, log: quietLog })
  } catch (error) {
    await client.end()
    await stop()
    throw error
  }
  project.provide('databaseUrl', url)
  project.provide('templateDatabase', template)

  return async () => {
    const { rows } = await client.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
      [template],
    )
    for (const { datname } of rows) await client.query(`DROP DATABASE ${datname} WITH (FORCE)`)
    await client.end()
    await stop()
  }
}

const PREFIX = 'rally-test-postgres-'

async function provideServer(given: string | undefined): Promise<{ url: string; stop(): Promise<void> }> {
  if (given) return { url: given, stop: async () => undefined }
  await removeAbandoned()
  const dataDir = await mkdtemp(join(tmpdir(), PREFIX))
  const postgres = await startEmbeddedPostgres({ dataDir, log: quietLog, durable: false })
  return {
    url: postgres.url,
    async stop() {
      await postgres.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** A run that was killed leaves its Postgres behind, which is taken over here in order to stop it. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const dataDir = join(tmpdir(), name)
    if (!name.startsWith(PREFIX) || Date.now() - (await stat(dataDir)).mtimeMs < 60_000) continue
    try {
      const postgres = await startEmbeddedPostgres({ dataDir, log: quietLog, durable: false })
      await postgres.stop()
      await rm(dataDir, { recursive: true, force: true })
    } catch (error) {
      if (!(error instanceof DataDirInUse)) await rm(dataDir, { recursive: true, force: true })
    }
  }
}
