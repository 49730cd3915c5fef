import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const SHOWN_BY = /`(test\/[^`]+)`: \*([^*]+)\*/g
const NAMED = /`(test\/[\w./-]+)`/g

/** Lines with the title of a test: after `test(`, after a table of cases, or a case of a table. */
const titlesIn = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /\btest\b|^\s*\]?\)?\(?['`]/.test(line))

const promises = readFileSync('docs/promises.md', 'utf8')
const shown = [...promises.matchAll(SHOWN_BY)].map(([, file = '', title = '']) => [file, title] as const)

test.for(shown)('the test that docs/promises.md names exists: %s, %s', ([file, title]) => {
  expect(titlesIn(file).filter((line) => line.includes(title))).not.toEqual([])
})

test('every promise of docs/promises.md names a test', () => {
  const rows = promises.split('\n').filter((line) => /^\| (?!promise|---)/.test(line))
  expect(rows.length).toBeGreaterThan(20)
  expect(rows.filter((row) => row.search(SHOWN_BY) < 0)).toEqual([])
})

test('the tests that docs/security.md and docs/bounds.md name exist', () => {
  const named = ['docs/security.md', 'docs/bounds.md', 'docs/promises.md'].flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(NAMED)].map(([, file = '']) => file),
  )
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter((file) => !existsSync(file))).toEqual([])
})
