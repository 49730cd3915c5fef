import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { breakingChanges } from '../../scripts/docs/breaking-changes.ts'
import { CONTRACT, currentContract, generatedPages } from '../../scripts/docs/pages.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('nothing that clients rely on is gone', () => {
  const broken = breakingChanges(JSON.parse(read(CONTRACT)), currentContract())
  expect(broken, 'clients would notice; if that is meant: `npm run docs -- --breaking`').toEqual([])
})

test.for(Object.entries(generatedPages(read)))('%s is as `npm run docs` writes it', ([path, text]) => {
  expect(read(path) === text, `${path} is old: run \`npm run docs\``).toBe(true)
})
