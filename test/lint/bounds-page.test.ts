import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** What a process keeps for as long as it runs: fields of classes, and maps and sets of functions that make an object. */
const FIELD = /^ {2}(?:readonly |private |override )*(#?\w+)(?:: .+)? = (?:new (?:Map|Set|BoundedMap)\b.*|\[\])$/
const OF_FUNCTION = /^ {2}const (\w+)(?:: .+)? = new (?:Map|Set)(?:<.+>)?\(\)$/
/** The first is the browser's, the next two are run by a match, the last is generated. */
const OTHERS = /^src\/(client|games|protocol|db\/generated)\//

/** `file name` of every collection in the server's sources. */
function collections(): string[] {
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map((file) => `src/${file}`)
    .filter((file) => file.endsWith('.ts') && !OTHERS.test(file))
    .flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line) => {
          const name = (FIELD.exec(line) ?? OF_FUNCTION.exec(line))?.[1]
          return name === undefined ? [] : `${file} ${name}`
        }),
    )
}

/** `file name` of what the page says the bound of. */
function listed(): string[] {
  const page = readFileSync('docs/bounds.md', 'utf8')
  return [...page.matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)].flatMap(([, file, names = '']) =>
    [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => `src/${file} ${name}`),
  )
}

test('docs/bounds.md says of every map, set and array that the server keeps what bounds it, and of no other', () => {
  expect(listed().toSorted()).toEqual(collections().toSorted())
})
