import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { ConfigError } from '../../src/environment.ts'

let dataDir: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'rally-origins-'))
})
afterAll(() => rm(dataDir, { recursive: true, force: true }))

const read = (origins: string) => readConfig({ NODE_ENV: 'test', DATA_DIR: dataDir, ALLOWED_ORIGINS: origins })

// Their origin is the text `null`, which every sandboxed frame sends too.
test.for(['game.example.com:8080', 'localhost:5173', 'data:text/html,x', 'null', 'foo', 'https://ok.example.com, foo'])(
  'refuses %s as an origin, and says which variable is wrong',
  (origins) => {
    expect(() => read(origins)).toThrow(ConfigError)
    expect(() => read(origins)).toThrow(/^ALLOWED_ORIGINS: .*(https)/)
  },
)

test('takes origins with a slash, a path and spaces around them', () => {
  const { allowedOrigins } = read(' https://a.example.com/ ,http://b.example.com:8080/page,, ')
  expect([...allowedOrigins]).toEqual(['http://localhost:3001', 'https://a.example.com', 'http://b.example.com:8080'])
})
