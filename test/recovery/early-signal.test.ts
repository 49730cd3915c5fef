import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { processIdentity } from '../../src/db/embedded/process.ts'
import { within } from '../support/client.ts'

/** A Rally that starts with nothing: without a database it creates one first. */
async function begin(environment: Readonly<Record<string, string>> = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'rally-early-'))
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'silent', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await rm(dataDir, { recursive: true, force: true })
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  return { dataDir, child, exited: once(child, 'exit'), said: () => said }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

test.each([
  ['makes its database', 'rally.lock'],
  ['starts its Postgres', 'postgres/postmaster.pid'],
])('Ctrl-C while it %s ends Rally in order, and leaves no Postgres', async (_, sign) => {
  const { dataDir, child, exited, said } = await begin()
  await expect.poll(() => exists(join(dataDir, sign)), { interval: 2, timeout: 20_000 }).toBe(true)
  const pid = Number((await readFile(join(dataDir, 'postgres/postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0])
  child.kill('SIGINT')
  expect(await within(exited, 'its end', 15_000)).toEqual([0, null])
  expect(said()).toBe('')
  expect(await exists(join(dataDir, 'postgres/postmaster.pid'))).toBe(false)
  if (pid > 0) expect(await processIdentity(pid)).toBeUndefined()
  expect(await exists(join(dataDir, 'rally.lock'))).toBe(false)
})

test('SIGTERM ends Rally while it waits for a database that never answers', async () => {
  const silent = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void silent.close())
  await once(silent, 'listening')
  const address = silent.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const asked = once(silent, 'connection')
  const { child, exited } = await begin({ DATABASE_URL: `postgresql://a:b@127.0.0.1:${address.port}/c` })
  const [socket] = await within(asked, 'a connection to the database', 20_000)
  onTestFinished(() => void socket.destroy())
  child.kill('SIGTERM')
  expect(await within(exited, 'its end', 10_000)).toEqual([0, null])
})
