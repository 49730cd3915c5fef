import pg from 'pg'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { REDACTED } from '../../src/log-redaction.ts'
import { createLoggers } from '../../src/logger.ts'
import { newToken } from '../../src/modules/auth/tokens/token-text.ts'
import { databaseTest } from '../support/database-test.ts'

const withDatabase = databaseTest()

/** A logger, and the lines that it wrote. */
function logging(level = 'debug') {
  const lines: string[] = []
  const log = createLoggers({ level, format: 'json', node: 'n1', writeLine: (line) => void lines.push(line) })
  const last = (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? '')
  return { log, lines, last }
}

test('values under secret names are replaced at any depth', () => {
  const { log, lines, last } = logging()
  const secrets = {
    token: 's3cret-1',
    recoveryCodes: ['s3cret-2'],
    request: { headers: { cookie: 's3cret-3' }, params: [{ username: 's3cret-4', seat: 1 }] },
    'set-cookie': 's3cret-5',
    otpauthUrl: 's3cret-6',
    METRICS_TOKEN: 's3cret-7',
    sessionToken: 's3cret-8',
    displayName: 's3cret-9',
    'x-api-key': 's3cret-11',
  }
  log.app.info({ userId: 'u1', ...secrets, deep: { a: { b: { secret: 's3cret-10' } } } }, 'signed in')
  expect(lines.join('')).not.toContain('s3cret')
  expect(last()).toMatchObject({
    userId: 'u1',
    token: REDACTED,
    request: { headers: REDACTED, params: [{ username: REDACTED, seat: 1 }] },
    deep: { a: { b: { secret: REDACTED } } },
  })
})

test('what has a bound stays within it', () => {
  const { log, lines } = logging()
  const circle: { self?: unknown; all: unknown[] } = { all: Array.from({ length: 10_000 }, (_, i) => i) }
  circle.self = circle
  log.app.info({ circle, long: 'x'.repeat(1_000_000), bytes: new Uint8Array(1_000_000) }, 'much')
  expect(lines[0]?.length).toBeLessThan(20_000)
})

test('a quoted token in a message is replaced, a quoted word is not', () => {
  const { log, last } = logging()
  log.app.warn({ err: new Error('Unexpected challenge "3q2-7wAAAABBBBCCCCDDDDEE", expected "one of ours"') }, 'wrong')
  expect(last()).toMatchObject({ err: { message: `Unexpected challenge ${REDACTED}, expected "one of ours"` } })
})

test('numbers stay: an exit code is no secret', () => {
  const { log, last } = logging()
  log.db.error({ code: 137 }, 'it ended')
  expect(last()).toMatchObject({ code: 137, name: 'db' })
})

test('passwords in URLs, JWTs and tokens are replaced wherever they stand', () => {
  const { log, lines } = logging()
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'
  const url = 'postgresql://rally:hunter2@db:5432/rally'
  log.app.warn({ where: url, err: new Error(`cannot reach ${url}`, { cause: new Error(jwt) }) }, `no answer of ${url}`)
  log.app.warn(new Error(`bare ${url}`))
  log.app.warn({ err: new Error(`alone ${jwt}`) })
  const token = newToken()
  log.app.warn({ where: `/x?key=${token}` }, `no user of ${token}.`)
  expect(lines.join('')).not.toMatch(/hunter2|eyJ/)
  expect(lines.join('')).not.toContain(token)
  expect(lines.join('')).toContain('@db:5432/rally')
  expect(lines).toHaveLength(4)
})

test('errors of parsers do not show what they parsed', () => {
  const { log, lines, last } = logging()
  const failing = (work: () => unknown) => {
    try {
      work()
    } catch (error) {
      log.rpc.error({ err: error }, 'a handler failed')
    }
  }
  failing(() => JSON.parse('s3cret'))
  failing(() => new URL('s3cret:// :s3cret@'))
  failing(() => z.object({ count: z.number() }).parse({ count: 's3cret' }))
  expect(last()).toMatchObject({ err: { message: 'count: invalid_type', stack: expect.stringContaining(' at ') } })
  expect(lines).toHaveLength(3)
  expect(lines.join('')).not.toContain('s3cret')
})

const USER = { username: 's3cret', displayName: 's3cret', totpKeyId: 's3cret', totpSecret: Buffer.from('s3cret') }

withDatabase('errors of Postgres and Prisma name the constraint, and no value', async ({ database }) => {
  const { log, lines } = logging()
  const rows = (text: string, values: unknown[]) => database.sql.rows({ name: `logs.${text.length}`, text }, values)
  const insert = `INSERT INTO users (id, username, display_name, totp_key_id, totp_secret) VALUES ($1, $2, $2, 'k', '')`
  await rows(insert, ['1', 's3cret'])
  const failures = [
    () => rows(insert, ['2', 's3cret']),
    () => rows('SELECT $1::text::uuid', ['s3cret "quoted" s3cret']),
    () => database.db.$queryRawUnsafe('SELECT $1::text::uuid', 's3cret'),
    () => database.db.user.create({ data: { ...USER, id: '3' } }),
  ]
  for (const failure of failures) {
    const error = await failure().then(
      () => null,
      (error: unknown) => error,
    )
    expect(error).toBeInstanceOf(Error)
    log.db.error({ err: error, wrapped: { error } }, 'failed')
  }
  expect(lines.join('')).not.toContain('s3cret')
  expect(lines.join('')).toContain('users_username_key')
  expect(lines.join('')).toContain('22P02')
})

test('the detail of an error of Postgres is left out', () => {
  const { log, lines } = logging()
  const error = new pg.DatabaseError('duplicate key value violates unique constraint "users_username_key"', 1, 'error')
  Object.assign(error, { code: '23505', severity: 'ERROR', detail: 'Key (username)=(s3cret) already exists.' })
  Object.assign(error, { where: 's3cret', internalQuery: 's3cret', constraint: 'users_username_key' })
  log.db.error({ err: new AggregateError([error], 'several', { cause: error }) }, 'failed')
  expect(lines.join('')).not.toContain('s3cret')
  expect(lines.join('').match(/users_username_key/g)?.length).toBeGreaterThan(2)
})
