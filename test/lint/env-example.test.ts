import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
const dataDir = mkdtempSync(join(tmpdir(), 'rally-env-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

/** The variables of `.env.example` with the values that stand there. */
const example = new Map(
  [...read('.env.example').matchAll(/^# ([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
)

/** The variables that are read. */
function known(): string[] {
  const names = new Set<string>()
  const environment = new Proxy<Record<string, string | undefined>>(
    {},
    {
      get(_, name) {
        names.add(String(name))
        return name === 'DATA_DIR' ? dataDir : undefined
      },
    },
  )
  readConfig(environment)
  return [...names]
}

test('.env.example names every variable of the configuration, and no other', () => {
  expect(known().length).toBeGreaterThan(30)
  expect([...example.keys()].toSorted()).toEqual(known().toSorted())
})

test('the values in .env.example are the defaults', () => {
  const environment = { ...Object.fromEntries(example), DATA_DIR: dataDir }
  expect(readConfig(environment)).toEqual(readConfig({ DATA_DIR: dataDir }))
  expect(example.get('DATA_DIR')).toBe('.data')
})

test('every line of .env.example is a comment', () => {
  expect(read('.env.example').match(/^[^#\n].*$/gm)).toBeNull()
})

test('secrets made as .env.example says are good enough for production', () => {
  const bytes = (length: number, seed: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 37 + seed) & 255))
  const secrets = {
    JWT_SECRET: bytes(48, 1).toString('base64'),
    COOKIE_SECRET: bytes(48, 2).toString('base64'),
    ENCRYPTION_KEY: `2026-01:${bytes(32, 3).toString('base64')}`,
  }
  const production = {
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://rally.example.com',
    DATABASE_URL: 'postgresql://rally:rally@127.0.0.1:5432/rally',
  }
  expect(readConfig({ ...production, ...secrets }).secrets.encryption[0].id).toBe('2026-01')
  expect(() => readConfig(production)).toThrow(/JWT_SECRET.*COOKIE_SECRET.*ENCRYPTION_KEY/s)
})
