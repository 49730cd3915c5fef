import { expect, test } from 'vitest'
import { createLoggers } from '../../src/logger.ts'

function written(work: (log: ReturnType<typeof createLoggers>) => void): string {
  const lines: string[] = []
  work(createLoggers({ level: 'debug', format: 'text', node: 'n1', writeLine: (line) => void lines.push(line) }))
  return lines.join('')
}

test('in development a line is for people', () => {
  const text = written((log) => log.of('matches').info({ matchId: 'm1', ms: 12 }, 'a match ended'))
  expect(text).toMatch(/^\d\d:\d\d:\d\d {2}INFO {3}matches {2}a match ended {2}matchId=m1 {2}ms=12\n$/)
})

test('an error has its stack and its causes below the line', () => {
  const error = Object.assign(new Error('no answer', { cause: new TypeError('not a number') }), {
    code: 'ECONNREFUSED',
  })
  const lines = written((log) => log.db.error({ err: error }, 'a query failed')).split('\n')
  expect(lines[0]).toMatch(/ERROR {2}db {2}a query failed$/)
  expect(lines[1]).toBe('    Error: no answer  code="ECONNREFUSED"')
  expect(lines[2]).toMatch(/^ {4}at /)
  expect(lines).toContain('    caused by')
  expect(lines).toContain('    TypeError: not a number')
})

test('secrets are left out there too', () => {
  expect(written((log) => log.app.info({ token: 's3cret', err: new Error('postgres://a:s3cret@b') }, 'x'))).not.toMatch(
    /s3cret/,
  )
})

test('a value with a control character is quoted and escaped, so that a client cannot make lines of its own', () => {
  const forged = '\n12:00:00  INFO   app  all is well\u001b[2K\u009b1m'
  const error = new Error(forged, { cause: new Error(forged) })
  error.stack = `Error\n    at ${forged.slice(1)}`
  const text = written((log) => log.rpc.error({ eid: forged, of: { eid: forged }, err: error }, `failed: ${forged}`))
  const lines = text.trimEnd().split('\n')
  expect(lines.filter((line) => line.startsWith('12:00:00'))).toEqual([])
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  expect(lines[0]).toContain('eid="\\n12:00:00  INFO   app  all is well\\u001b[2K\\u009b1m"')
})
