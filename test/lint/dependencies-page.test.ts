import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
const Names = z.record(z.string(), z.string())
const { dependencies, devDependencies } = z
  .object({ dependencies: Names, devDependencies: Names })
  .parse(JSON.parse(read('package.json')))

test('docs/dependencies.md has a line for every package, and for no other', () => {
  const rows = read('docs/dependencies.md').matchAll(/^\| (`.*?) \| (.*?) \| (.*?) \|$/gm)
  const named = [...rows].flatMap(([, names = '']) => [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name))
  const known = Object.keys({ ...dependencies, ...devDependencies })
  expect(named.filter((name) => name !== 'uws-pack').toSorted()).toEqual(known.toSorted())
})

test('every version is exact', () => {
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(([, version]) =>
    /[\^~*<>]/.test(version),
  )
  expect(loose).toEqual([])
})
