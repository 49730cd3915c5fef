import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { freePort } from '../../src/db/embedded/free-port.ts'
import { migrate } from '../../src/db/migrate.ts'
import { statement } from '../../src/db/sql.ts'
import { createEmptyTestDatabase } from '../support/database.ts'
import { databaseTest } from '../support/database-test.ts'
import { quietLog } from '../support/quiet-log.ts'

const test = databaseTest()

const PGBOUNCER = '/usr/sbin/pgbouncer'
const NOBODY = 65_534

test('a connection begins with parameters that every pooler accepts', async ({ testDatabase }) => {
  const seen: string[][] = []
  const server = createServer((socket) => {
    socket.once('data', (packet) => {
      seen.push(parametersOf(packet))
      socket.destroy()
    })
    socket.on('error', () => undefined)
  })
  const url = new URL(testDatabase.url)
  url.host = `127.0.0.1:${await listen(server)}`
  const { db, sql, ping } = await testDatabase.open({ url: url.href })
  const connections = [
    ping(1000),
    sql.rows(statement('test.one', 'SELECT 1')),
    db.node.count(),
    migrate({ databaseUrl: url.href, log: quietLog, connectTimeoutMs: 1 }),
  ]
  for (const connection of connections) await expect(connection).rejects.toThrow()
  server.close()
  expect(seen.length).toBeGreaterThanOrEqual(connections.length)
  expect([...new Set(seen.flat())].sort()).toEqual(['application_name', 'client_encoding', 'database', 'user'])
})

test.skipIf(!existsSync(PGBOUNCER))('Rally works behind PgBouncer with pools of sessions', async () => {
  await using direct = await createEmptyTestDatabase()
  await using bouncer = await startPgBouncer(new URL(direct.url))
  await migrate({ databaseUrl: bouncer.url, log: quietLog })
  const { db, sql, transaction, close } = await direct.open({ url: bouncer.url, transactionTimeoutMs: 3_000 })
  const startedAt = new Date('2026-03-29T01:30:00.123Z')
  await db.node.create({ data: { id: 'first', startedAt } })
  const nodes = statement<{ id: string; startedAt: Date }>(
    'test.nodes',
    'SELECT id, started_at AS "startedAt" FROM nodes',
  )
  expect(await sql.rows(nodes)).toEqual([{ id: 'first', startedAt }])
  await transaction(async (tx) => {
    expect(await tx.sql.rows(nodes)).toHaveLength(1)
    await tx.db.node.create({ data: { id: 'second' } })
  })
  expect(await sql.rows(nodes)).toHaveLength(2)
  const settings = statement(
    'test.settings',
    `SELECT current_setting('timezone') AS zone, current_setting('statement_timeout') AS statement,
       current_setting('idle_in_transaction_session_timeout') AS idle`,
  )
  expect(await sql.first(settings)).toEqual({ zone: 'UTC', statement: '5s', idle: '8s' })
  await close()
})

/** The names in the startup packet of a connection, see "Message Formats" of Postgres' protocol. */
function parametersOf(packet: Buffer): string[] {
  const words = packet.subarray(8).toString('utf8').split('\0')
  return words.filter((word, index) => index % 2 === 0 && word !== '')
}

async function startPgBouncer(database: URL): Promise<AsyncDisposable & { readonly url: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'rally-pooler-'))
  const port = await freePort()
  await writeFile(
    join(dir, 'pgbouncer.ini'),
    `[databases]
* = host=${database.hostname} port=${database.port} user=${database.username} password=${database.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = session
`,
  )
  await chmod(dir, 0o755)
  const isRoot = process.getuid?.() === 0
  const child = spawn(PGBOUNCER, [join(dir, 'pgbouncer.ini')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  })
  await isUp(child)
  const url = new URL(database)
  url.host = `127.0.0.1:${port}`
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      child.kill('SIGQUIT')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function isUp({ stderr }: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (log.includes('process up')) resolve()
    })
    stderr?.once('end', () => reject(new Error(`PgBouncer did not start: ${log}`)))
  })
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
