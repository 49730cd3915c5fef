import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { ConfigError } from '../../src/environment.ts'

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'rally-secrets-'))
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

const PRINT = `
  import { readConfig } from './src/config.ts'
  process.stdout.write(Buffer.from(readConfig({ DATA_DIR: process.env.DATA_DIR }).secrets.cookie).toString('base64'))`

test('servers that start at once with an empty folder have the same secrets', async () => {
  const start = () =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', PRINT], {
      cwd: join(import.meta.dirname, '../..'),
      env: { PATH: process.env.PATH, DATA_DIR: dataDir },
    })
  const started = await Promise.all(Array.from({ length: 4 }, start))
  const kept = JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8')) as { COOKIE_SECRET: string }
  expect(new Set(started.map(({ stdout }) => Buffer.from(stdout, 'base64').toString()))).toEqual(
    new Set([kept.COOKIE_SECRET]),
  )
  expect(await readdir(dataDir)).toEqual(['secrets.json'])
  expect((await stat(join(dataDir, 'secrets.json'))).mode & 0o777).toBe(0o600)
})

test('a truncated file is reported, and not replaced', async () => {
  const file = join(dataDir, 'secrets.json')
  await writeFile(file, '{"JWT_SECRET": "abc')
  const read = () => readConfig({ DATA_DIR: dataDir })
  expect(read).toThrow(ConfigError)
  expect(read).toThrow(file)
  expect(await readFile(file, 'utf8')).toBe('{"JWT_SECRET": "abc')
})
