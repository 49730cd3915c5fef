import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { ConfigError } from '../../src/environment.ts'

type Environment = Readonly<Record<string, string | undefined>>

const PRODUCTION: Environment = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://rally.example.com',
  DATABASE_URL: 'postgresql://rally:rally@127.0.0.1:5432/rally',
  JWT_SECRET: randomBytes(48).toString('base64'),
  COOKIE_SECRET: randomBytes(48).toString('base64'),
  ENCRYPTION_KEY: `one:${randomBytes(32).toString('base64')}`,
}

let dataDir: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'rally-config-'))
})
afterAll(() => rm(dataDir, { recursive: true, force: true }))

const develop = (environment: Environment) => readConfig({ DATA_DIR: dataDir, ...environment })

/** The variables that are refused, in the order of the message. */
function refused(environment: Environment): string[] {
  try {
    readConfig({ DATA_DIR: dataDir, ...environment })
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').map((line) => line.slice(0, line.indexOf(':')))
    throw error
  }
  return []
}

describe('SECOND_FACTOR', () => {
  const url = (PUBLIC_URL: string) => ({ SECOND_FACTOR: 'passkey', PUBLIC_URL })

  test('is none unless given', () => {
    expect(develop({}).secondFactor).toBe('none')
    expect(refused({ SECOND_FACTOR: 'passkeys' })).toEqual(['SECOND_FACTOR'])
  })

  test.for(['https://rally.example.com', 'http://localhost:3001', 'http://rally.localhost'])('is passkey at %s', (at) =>
    expect(develop(url(at)).secondFactor).toBe('passkey'),
  )

  test.for(['http://rally.example.com', 'https://192.0.2.1', 'https://[2001:db8::1]', 'http://127.0.0.1:3001'])(
    'cannot be passkey at %s, where browsers have none',
    (at) => expect(refused(url(at))).toEqual(['SECOND_FACTOR']),
  )
})

describe('production', () => {
  test('starts with what it needs', () => {
    expect(readConfig(PRODUCTION)).toMatchObject({ production: true, publicUrl: 'https://rally.example.com' })
  })

  test.for(['DATABASE_URL', 'JWT_SECRET', 'COOKIE_SECRET', 'ENCRYPTION_KEY'])(
    'does not start without %s, and names it',
    (name) => {
      expect(refused({ ...PRODUCTION, [name]: undefined })).toEqual([name])
      expect(refused({ ...PRODUCTION, [name]: '' })).toEqual([name])
    },
  )

  test('names everything that is missing at once', () => {
    const missing = ['DATABASE_URL', 'JWT_SECRET', 'COOKIE_SECRET', 'ENCRYPTION_KEY']
    expect(refused({ NODE_ENV: 'production' })).toEqual(missing)
  })

  test('names what is missing beside what is malformed, each once', () => {
    const malformed = { PORT: 'abc', DATABASE_URL: 'mysql://rally', ALLOWED_ORIGINS: 'rally, null' }
    expect(refused({ NODE_ENV: 'production', ...malformed })).toEqual([
      'PORT',
      'DATABASE_URL',
      'ALLOWED_ORIGINS',
      'ALLOWED_ORIGINS',
      'JWT_SECRET',
      'COOKIE_SECRET',
      'ENCRYPTION_KEY',
    ])
    expect(refused({ ...PRODUCTION, PUBLIC_URL: 'rally.example.com', JWT_SECRET: 'short' })).toEqual([
      'PUBLIC_URL',
      'JWT_SECRET',
    ])
  })

  test('an unknown NODE_ENV is checked as production, and nothing is written', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'rally-config-'))
    expect(refused({ ...PRODUCTION, NODE_ENV: 'prod', COOKIE_SECRET: '', DATA_DIR: empty })).toEqual([
      'NODE_ENV',
      'COOKIE_SECRET',
    ])
    expect(await readdir(empty)).toEqual([])
    await rm(empty, { recursive: true })
  })

  test.for(['http://rally.example.com', 'http://192.168.1.5:3001', 'HTTP://localhost.example.com'])(
    'does not start at %s, where nobody could sign in',
    (url) => {
      expect(() => readConfig({ ...PRODUCTION, PUBLIC_URL: url })).toThrow(/^PUBLIC_URL: is not https.*sign in.*cookie/)
      expect(develop({ PUBLIC_URL: url }).publicUrl).toBe(url)
    },
  )

  test.for(['http://localhost:3001', 'http://127.0.0.1', 'http://[::1]:3001', 'HTTPS://rally.example.com'])(
    'starts at %s',
    (url) => expect(readConfig({ ...PRODUCTION, PUBLIC_URL: url }).publicUrl).toBe(url),
  )

  test('warns that without a public URL only this machine can use it', () => {
    const { publicUrl, warnings } = readConfig({ ...PRODUCTION, PUBLIC_URL: undefined })
    expect(publicUrl).toBe('http://localhost:3001')
    expect(warnings).toEqual([expect.stringMatching(/^PUBLIC_URL is not set: http:\/\/localhost:3001 leads/)])
    // Who says so means it, as behind a tunnel.
    expect(readConfig({ ...PRODUCTION, PUBLIC_URL: 'http://localhost:3001' }).warnings).toEqual([])
  })
})

test('development needs nothing', () => {
  expect(develop({})).toMatchObject({ publicUrl: 'http://localhost:3001', databaseUrl: undefined })
})

describe('a database in parts', () => {
  test('is put together', () => {
    const parts = { POSTGRES_USER: 'rally', POSTGRES_PASSWORD: 'p@ss/word', POSTGRES_PORT: '5433' }
    expect(develop(parts).databaseUrl).toBe('postgresql://rally:p%40ss%2Fword@127.0.0.1:5433/rally')
    expect(develop({ ...parts, POSTGRES_DB: 'games' }).databaseUrl).toMatch(/:5433\/games$/)
  })

  test.for([
    ['POSTGRES_USER', 'POSTGRES_PASSWORD'],
    ['POSTGRES_PASSWORD', 'POSTGRES_USER'],
  ] as const)('with %s alone is refused, and %s named', ([given, missing]) => {
    expect(refused({ [given]: 'rally' })).toEqual([missing])
    expect(refused({ ...PRODUCTION, DATABASE_URL: undefined, [given]: 'rally' })).toEqual([missing])
  })

  test('is ignored beside DATABASE_URL', () => {
    expect(readConfig({ ...PRODUCTION, POSTGRES_USER: 'rally' }).databaseUrl).toBe(PRODUCTION.DATABASE_URL)
  })
})

test('the version is the given one, and has to be fit for the tag of an image', () => {
  expect(develop({}).version).toBeUndefined()
  expect(develop({ RALLY_VERSION: '1.2.3-rc.1' }).version).toBe('1.2.3-rc.1')
  expect(refused({ RALLY_VERSION: '1.2.3 <b>' })).toEqual(['RALLY_VERSION'])
})

test.for(['10.0.0.0/33', '10.0.0', 'fe80::1%eth0', '10.0.0.0/8/8', '::1/129', '10.0.0.1,', 'proxy', '10.0.0.0/-1'])(
  'TRUSTED_PROXIES=%s is refused',
  (text) => {
    expect(refused({ TRUSTED_PROXIES: text })).toEqual(['TRUSTED_PROXIES'])
  },
)

test.for(['10.0.0.1', '10.0.0.0/8, ::1', '2001:db8::/32', '0.0.0.0/0'])('TRUSTED_PROXIES=%s is taken', (text) => {
  expect(develop({ TRUSTED_PROXIES: text }).trustedProxies).toEqual(text.split(', '))
})
