import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { examplesOf, RepositoryCopy } from './repository-copy.ts'

let copy: RepositoryCopy
beforeAll(async () => {
  copy = await RepositoryCopy.make()
  await copy.run('npm', 'run', 'generate')
})
afterAll(() => copy.remove())

/** A file with the lines that begin with `+` in `diff`. The other lines of `diff` have to be in the file, in their order. */
function withAdded(own: string, diff: string): string {
  const lines = own.split('\n')
  let next = 0
  for (const line of diff.trimEnd().split('\n')) {
    if (line === '@@') continue
    const text = line.slice(1)
    if (line.startsWith('+')) lines.splice(next, 0, text)
    else {
      const at = lines.indexOf(text, next)
      if (at < 0) throw new Error(`the file has no line "${text}"`)
      next = at
    }
    next++
  }
  return lines.join('\n')
}

/** Puts the examples where they say they belong, as a reader would: new files as they stand, the others changed. */
function follow(examples: Iterable<readonly [file: string, source: string]>): void {
  for (const [file, source] of examples) {
    if (file.endsWith('.prisma')) copy.change(file, (own) => `${own}\n${source}`)
    else if (existsSync(join(copy.folder, file))) copy.change(file, (own) => withAdded(own, source))
    else copy.write(file, source)
  }
}

const inRepository = [...examplesOf('docs/extending.md')].filter(([file]) => /guestbook|prisma/.test(file))

describe.sequential('a reader of the documents', () => {
  test('adds the module of docs/extending.md, and touches nothing but what it says', async () => {
    expect(inRepository.map(([file]) => file)).toEqual([
      'src/modules/guestbook/types.ts',
      'prisma/schema.prisma',
      'src/modules/guestbook/statements.ts',
      'src/modules/guestbook/read-book.ts',
      'src/modules/guestbook/service.ts',
      'src/modules/guestbook/methods/sign.ts',
      'src/modules/guestbook/subscriptions/onSize.ts',
      'src/modules/guestbook/subscriptions/onEntry.ts',
      'src/modules/guestbook/forget-old.ts',
      'src/modules/guestbook/routes.ts',
      'src/modules/guestbook/index.ts',
      'test/access/guestbook.ts',
      'test/guestbook/guestbook.test.ts',
      'test/guestbook/forget-old.test.ts',
    ])
    follow(inRepository)
    copy.change('src/modules/index.ts', (own) =>
      own
        .replace(/^import .* from '.\/live\/index.ts'$/m, "import { guestbook } from './guestbook/index.ts'\n$&")
        .replace(/^\} as const$/m, '  guestbook,\n$&'),
    )
    copy.change('test/access/matrix.ts', (own) =>
      own
        .replace(/^import .* from '.\/live.ts'$/m, "import { guestbook } from './guestbook.ts'\n$&")
        .replace(/^ {2}live,$/m, '  guestbook,\n$&'),
    )
    expect(await copy.run('npm', 'run', 'migration', '--', 'guestbook')).toContain('_guestbook/migration.sql')
    const outside = (await copy.changed()).filter((file) => !/^(src\/modules|test)\/guestbook\//.test(file))
    expect(outside.map((file) => file.replace(/\d{14}/, '<time>'))).toEqual([
      'prisma/migrations/<time>_guestbook/migration.sql',
      'prisma/migrations/schema.prisma',
      'prisma/schema.prisma',
      'src/modules/index.ts',
      'test/access/guestbook.ts',
      'test/access/matrix.ts',
    ])
  })

  test('adds the module and the game of the README beside what is there', () => {
    const examples = new Map(examplesOf('README.md'))
    expect([...examples.keys()]).toEqual([
      'first-client.ts',
      'src/modules/records/types.ts',
      'src/modules/records/methods/getOne.ts',
      'src/modules/records/index.ts',
      'src/modules/index.ts',
      'test/access/records.ts',
      'test/access/matrix.ts',
      'src/games/nim/index.ts',
      'src/games/index.ts',
      'web/src/games/nim/view.tsx',
      'web/src/games/index.ts',
    ])
    examples.delete('first-client.ts')
    follow(examples)
    expect(copy.read('src/modules/index.ts')).toMatch(/^ {2}records,$/m)
    expect(copy.read('src/games/index.ts')).toMatch(/^ {2}nim,$/m)
  })

  test('gets a client of both modules that is typed', async () => {
    copy.write(
      'test/guestbook/client.ts',
      `import { createClient } from '../../src/client/index.ts'
import type { Db } from '../../src/db/database.ts'
import type { Api } from '../../src/modules/index.ts'

export type Entries = Db['guestbookEntry']
const rally = createClient<Api>()
const { won } = await rally.records.getOne({ username: 'ada' })
const { seq } = await rally.guestbook.sign({ owner: 'ada', text: 'hello' })
export const sum: number = won + seq
`,
    )
    copy.write(
      'test/first-client.ts',
      (examplesOf('README.md').get('first-client.ts') ?? '').replaceAll("'./src/", "'../src/"),
    )
    // The four places that want a line for each game, as the README says.
    copy.change('test/determinism/play.ts', (own) =>
      own.replace(/\{ pong: 60,/, '{ pong: 60, nim: 4,').replace(/^ {2}pong: .*$/m, '$&\n  nim: [{}],'),
    )
    copy.change('test/games/contract.test.ts', (own) =>
      own.replace(/^ {2}pong: .*$/m, '$&\n  nim: [{ take: 1 }, { take: 2 }],'),
    )
    await copy.run('npx', 'vitest', 'run', 'test/games/states-page.test.ts', '-u')
    const printed = await copy.run('npx', 'vitest', 'run', 'test/games/rules-version.test.ts').catch(String)
    const [, line = ''] = /add ("nim 1": "\w+") to/.exec(printed) ?? []
    copy.change('test/games/rules-versions.json', (own) => own.replace(/^\{$/m, `{\n  ${line},`))
    // As after a pull of somebody's migration: what Prisma generates is not up to date, and `types` sees to it.
    expect(copy.read('src/db/generated/client.ts')).toContain('GuestbookEntry')
    rmSync(join(copy.folder, 'src/db/generated'), { recursive: true })
    await copy.run('npm', 'run', 'types')
  })

  test('passes the lint, the tests of the module, and those of the games and the lint', async () => {
    rmSync(join(copy.folder, 'test/first-client.ts'))
    rmSync(join(copy.folder, 'test/guestbook/client.ts'))
    await copy.run('npx', 'biome', 'format', '--write', 'test/determinism', 'test/games')
    await copy.run('npm', 'run', 'lint')
    await copy.run('npm', 'run', 'docs')
    expect(copy.read('docs/protocol.md')).toContain('| `guestbook.sign` | Writes into the guestbook of a user. |')
    const tests = ['test/guestbook', 'test/lint', 'test/games', 'test/db/drift.test.ts']
    await copy.run('npx', 'vitest', 'run', '--maxWorkers=1', ...tests)
  })
})

test('the examples of docs/extending.md are short', () => {
  for (const [file, source] of examplesOf('docs/extending.md')) {
    const lines = source.split('\n').filter((line) => !/^(import .*|\/\*\*.*|)$/.test(line))
    expect(lines.length, file).toBeLessThanOrEqual(16)
  }
})

const linesOf = (source: string) => source.trimEnd().split('\n').length

test('a module takes under 100 lines, and a game with its view under 150', () => {
  expect(linesOf(readFileSync('examples/cinema/src/cinema.ts', 'utf8'))).toBeLessThan(100)
  const readme = examplesOf('README.md')
  const game = ['src/games/nim/index.ts', 'web/src/games/nim/view.tsx'].map((file) => readme.get(file) ?? '')
  expect(game).not.toContain('')
  expect(linesOf(game.join('\n'))).toBeLessThan(150)
})
