import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { checkImports } from '../../scripts/import-rules.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** The code of the README that says which file it is, by that file's name. */
const examples = new Map(
  [...readme.matchAll(/```tsx?\n\/\/ (\S+\.tsx?)\n(.*?)```/gs)].map(([, file = '', source = '']) => [file, source]),
)

const folder = mkdtempSync(join(tmpdir(), 'rally-readme-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a program in the copy; gives its exit code and all that it said. */
function run(program: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const command = [join(root, 'node_modules', program), ...args]
    execFile(process.execPath, command, { cwd: folder }, (error, stdout, stderr) => {
      resolve({ code: error ? 1 : 0, output: stdout + stderr })
    })
  })
}

function write(file: string, source: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), source)
}

/** Changes a file of the copy. */
function change(file: string, to: (own: string) => string): void {
  write(file, to(readFileSync(join(folder, file), 'utf8')))
}

/** A file with the lines that `example` has besides, each after the line that it has there before it. */
function withAdded(own: string, example: string): string {
  const lines = own.split('\n')
  let next = 0
  for (const line of example.split('\n')) {
    const at = lines.indexOf(line, next)
    if (at < 0) lines.splice(next, 0, line)
    next = (at < 0 ? next : at) + 1
  }
  return lines.join('\n')
}

test('has the examples', () => {
  expect([...examples.keys()]).toEqual([
    'first-client.ts',
    'src/modules/records/types.ts',
    'src/modules/records/methods/getOne.ts',
    'src/modules/records/index.ts',
    'src/modules/index.ts',
    'src/games/nim/index.ts',
    'src/games/index.ts',
    'web/src/games/nim/view.tsx',
    'web/src/games/index.ts',
  ])
})

test('its examples compile, in the place that they name', async () => {
  for (const name of ['src', 'web/src', 'web/tsconfig.json', 'tsconfig.json', 'package.json']) {
    cpSync(join(root, name), join(folder, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  // A repository has games of its own, too.
  write('src/games/other/index.ts', "export { connectFour as other } from '../connect-four/index.ts'\n")
  change('src/games/index.ts', (own) =>
    own
      .replace(/^import .*pong.*$/m, "import { other } from './other/index.ts'\n$&")
      .replace(/^ {2}pong,$/m, '$&\n  other,'),
  )
  change('web/src/games/index.ts', (own) => own.replace(/^ {2}pong: pongView,$/m, '$&\n  other: connectFourView,'))
  for (const [file, source] of examples) {
    if (existsSync(join(root, file))) change(file, (own) => withAdded(own, source))
    else write(file, source)
  }
  expect(readFileSync(join(folder, 'src/games/index.ts'), 'utf8')).toMatch(/^ {2}other,$(.|\n)*^ {2}nim,$/m)
  const use = `import type { Api } from './src/modules/index.ts'
import { createClient } from './src/client/index.ts'
const record = await createClient<Api>().records.getOne({ username: 'ada' })
export const won: number = record.won
`
  writeFileSync(join(folder, 'use.ts'), use)
  const own = { rootDir: '.', noEmit: true, composite: false, declaration: false, tsBuildInfoFile: null }
  const config = { extends: './tsconfig.json', compilerOptions: own, include: ['src', '*.ts'] }
  writeFileSync(join(folder, 'tsconfig.readme.json'), JSON.stringify(config))
  expect(await run('typescript/bin/tsc', ['-p', 'tsconfig.readme.json'])).toEqual({ code: 0, output: '' })
  // Without what a build leaves the page's types come from the server's sources, which are for a newer library.
  const page = { ...own, incremental: false, lib: ['ES2024', 'DOM', 'DOM.Iterable'] }
  const web = { extends: './web/tsconfig.json', compilerOptions: page, include: ['web/src'] }
  writeFileSync(join(folder, 'tsconfig.web.json'), JSON.stringify(web))
  expect(await run('typescript/bin/tsc', ['-p', 'tsconfig.web.json'])).toEqual({ code: 0, output: '' })
}, 60_000)

test('its game is one that its bots play to the end', async () => {
  const program = `import { games } from './src/games/index.ts'
const { nim } = games
const state = nim.init({ seed: 1, options: nim.options.parse({}) })
while (!nim.outcome(state)) nim.step(state, [nim.bot(state, 0), nim.bot(state, 1)])
process.stdout.write(JSON.stringify([nim.scores(state), nim.outcome(state)]))
`
  writeFileSync(join(folder, 'bots.ts'), program)
  const outcome = { winnerSeat: 1, scores: [0, 1] }
  expect(await run('tsx/dist/cli.mjs', ['bots.ts'])).toEqual({ code: 0, output: JSON.stringify([[0, 1], outcome]) })
}, 60_000)

test('its module, its game and its view keep the import rules', () => {
  const files = [...examples].filter(([file]) => file.includes('src/'))
  expect(files.flatMap(([file, source]) => checkImports(file, source))).toEqual([])
})

test.each(['README.md', 'docs/architecture.md', 'docs/protocol.md', 'docs/dependencies.md'])(
  'the links of %s lead somewhere',
  (page) => {
    const targets = [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)]
    const missing = targets
      .map(([, target = '']) => join(root, dirname(page), target))
      .filter((file) => !existsSync(file))
    expect(targets.length).toBeGreaterThan(0)
    expect(missing).toEqual([])
  },
)

test('the commands that it names exist', () => {
  const makefile = readFileSync(join(root, 'Makefile'), 'utf8')
  const targets = [...readme.matchAll(/\bmake ([a-z0-9]+)\b/g)].map(([, target]) => target)
  for (const target of targets) expect(makefile).toMatch(new RegExp(`^${target}:`, 'm'))
})
