import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Config, type ConfigInput, readConfig } from '../../src/config.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'rally-given-'))
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

const secret = (first: string) => `${first}-abcdefghijklmnopqrstuvwxyz-0123456789`
const secrets = {
  ticket: secret('t'),
  cookie: secret('c'),
  encryption: `k:${Buffer.from(secret('e')).toString('hex').slice(0, 64)}`,
}

/** Every value of a configuration that is a number or text, as an application would give it. */
function given({ warnings: _, secrets: __, allowedOrigins, ...rest }: Config): ConfigInput {
  return { ...rest, allowedOrigins: [...allowedOrigins], secrets }
}

test('every value of Config can be given under its own name', () => {
  const usual = readConfig({ DATA_DIR: dataDir })
  const changed: ConfigInput = {
    ...given(usual),
    production: true,
    host: '127.0.0.2',
    publicUrl: 'https://rally.example.com',
    allowedOrigins: ['https://rally.example.com', 'https://other.example.com'],
    databaseUrl: 'postgresql://a:b@127.0.0.1/c',
    adminPort: 9464,
    trustedProxies: ['10.1.2.3', '2001:db8::/32'],
    metricsToken: 'a-token-of-some-length',
    secondFactor: 'passkey',
    drainMs: 500,
    heartbeatMs: 1_500,
    maxConnections: 99,
    tracing: {
      endpoint: 'https://collector.example.com:4318',
      headers: { authorization: 'Bearer a, b=c' },
      sampler: 'traceidratio',
      samplerRatio: 0.25,
      serviceName: 'pong',
      resourceAttributes: { 'deployment.environment.name': 'test' },
    },
    matches: { ...usual.matches, countdownMs: 1, maxActive: 3 },
    limits: { ...usual.limits, frameBytes: 2048, anonymousReads: 2 },
  }
  const config = readConfig({}, changed)
  expect(given(config)).toEqual(changed)
  expect(new TextDecoder().decode(config.secrets.cookie)).toBe(secrets.cookie)
})

test('given settings have priority over the environment', () => {
  const { port, replayDays } = readConfig({ DATA_DIR: dataDir, PORT: '4000', REPLAY_DAYS: '7' }, { port: 5000 })
  expect({ port, replayDays }).toEqual({ port: 5000, replayDays: 7 })
})

test('given settings are checked like the environment', () => {
  expect(() => readConfig({}, { dataDir, port: 70_000, limits: { jsonDepth: 1 } })).toThrow(/PORT.*LIMIT_JSON_DEPTH/s)
  expect(() => readConfig({}, { production: true })).toThrow('JWT_SECRET: is not set')
  const misspelt: object = { dataDir, matches: { countDownMs: 1 } }
  expect(() => readConfig({}, misspelt)).toThrow('config.matches.countDownMs: there is no such setting')
})
