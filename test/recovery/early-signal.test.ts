import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { processIdentity } from '../../src/db/process-identity.ts'
import { within } from '../support/client.ts'

/** A `rally` that starts from nothing: it makes its database first. */
async function begin() {
  const dataDir = await mkdtemp(join(tmpdir(), 'rally-early-'))
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'silent' },
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
