import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect } from 'vitest'
import * as client from '../../src/client/index.ts'
import * as nodeClient from '../../src/client/node.ts'
import * as play from '../../src/client/play/index.ts'
import { rallyTest } from '../support/rally-test.ts'
import { codeOf, register } from '../support/server.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
const inRoot = (path: string) => join(root, path)
const compilerOptions = {
  strict: true,
  noEmit: true,
  target: 'es2023',
  module: 'nodenext',
  lib: ['ES2024', 'DOM', 'DOM.Iterable'],
  types: ['node'],
  allowImportingTsExtensions: true,
}

const test = rallyTest()
/** A project that has installed the package, and has the type of a server. */
let project: { readonly folder: string; readonly installed: string }

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rally-client-'))
  const installed = join(folder, 'node_modules', 'rally-client')
  project = { folder, installed }
  await mkdir(join(folder, 'node_modules', '@types'), { recursive: true })
  await mkdir(installed)
  await cp(inRoot('packages/client/package.json'), join(installed, 'package.json'))
  await tsc('-p', inRoot('packages/client'), '--outDir', join(installed, 'dist'))
  for (const name of ['ws', 'zod', '@types/ws', '@types/node']) {
    await symlink(inRoot(`node_modules/${name}`), join(folder, 'node_modules', name))
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'server.ts'), `export type { Api } from '${inRoot('src/modules/index.ts')}'\n`)
})
afterAll(() => rm(project.folder, { recursive: true, force: true }))

const docs = async (page: string) => readFile(inRoot(`docs/${page}`), 'utf8')

/** The TypeScript of a page, block by block. */
async function examplesOf(page: string): Promise<string[]> {
  return [...(await docs(page)).matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code)
}

/** Rejects with what the compiler said. */
async function tsc(...args: string[]): Promise<void> {
  await run(process.execPath, [inRoot('node_modules/typescript/bin/tsc'), ...args]).catch((error: unknown) => {
    throw new Error(error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error))
  })
}

test('what it exports is there, and needs no package but what its readme says', async () => {
  const { exports } = JSON.parse(await readFile(join(project.installed, 'package.json'), 'utf8'))
  const targets = Object.values<{ types: string; default: string }>(exports).flatMap(Object.values<string>)
  const games = ['pong', 'connect-four']
  const missing = targets
    .flatMap((path) => (path.includes('*') ? games.map((game) => path.replace('*', game)) : [path]))
    .filter((path) => !existsSync(join(project.installed, path)))
  expect(missing).toEqual([])

  const needed = new Set<string>()
  for (const name of await readdir(join(project.installed, 'dist'), { recursive: true })) {
    if (!/\.(js|d\.ts)$/.test(name)) continue
    const source = await readFile(join(project.installed, 'dist', name), 'utf8')
    for (const [, specifier = ''] of source.matchAll(/(?:from |import\()['"]([^.'"][^'"]*)['"]/g)) {
      needed.add(`${name.split('/').slice(0, -1).join('/')}: ${specifier}`)
    }
  }
  expect([...needed].toSorted()).toEqual([
    'client: node:fs',
    'client: node:path',
    'client: node:process',
    'games/connect-four: zod',
    'games/pong: zod',
  ])
})

/** What the examples take as given. */
const GIVEN = `import type { Rally } from 'rally-client'
declare const rally: Rally<Api>, matchId: string, code: string, abort: AbortController, image: HTMLImageElement, url: string
declare const { render, leave, report, show, offerAnother, banner }: Record<string, (value?: unknown) => void>
`
const IMPORTS = ["import type { Api } from './server.ts'", "import { createClient } from 'rally-client'"]

test('the examples of its pages compile', async () => {
  const examples = (await Promise.all(['client.md', 'netcode.md'].map(examplesOf))).flat()
  expect(examples.length).toBeGreaterThan(6)
  const files = examples.map((_, index) => `example-${index}.ts`)
  for (const [index, example] of examples.entries()) {
    const own = example.match(/^import .*$/gm) ?? []
    const isImported = (name: string) => own.some((line) => line.includes(`{ ${name}`))
    const imports = IMPORTS.filter((line) => !isImported(/(Api|createClient)/.exec(line)?.[0] ?? ''))
    const body = `export async function run() {\n${example.replace(/^import .*$/gm, '')}\n}\n`
    await writeFile(join(project.folder, `example-${index}.ts`), [...imports, ...own, GIVEN, body].join('\n'))
  }
  await compile(files)
}, 60_000)

async function compile(files: readonly string[]): Promise<void> {
  await writeFile(join(project.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  await tsc('-p', project.folder)
}

/** The names in the first column of the table that comes after `heading`. */
function tableOf(page: string, heading: string): string[] {
  const section = page.slice(page.indexOf(heading) + heading.length)
  const table = /^\|.*?\n\n/ms.exec(section)?.[0] ?? ''
  const cells = table
    .split('\n')
    .slice(2)
    .flatMap((line) => line.split('|')[1] ?? [])
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)[^`]*`/g)].map(([, name = '']) => name))
}

test('its page names what exists, and all of it', async () => {
  const page = await docs('client.md')
  const tables = [
    ['keyof ClientOptions', '## Options'],
    ['keyof CallOptions', '## Calling a method'],
    ['ClientCode', '### Errors'],
    ['keyof SnapshotListener<unknown, unknown>', '## Listening to a stream'],
    ['keyof ClientEvents', '## The connection'],
    ["Exclude<keyof Clock, 'add' | 'restart'>", '## The clock'],
    ["'token' | 'cookieFile' | 'WebSocket'", '## In Node'],
  ] as const
  const checks = tables.map(([type, heading], index) => {
    const names = tableOf(page, heading).map((name) => `'${name}'`)
    expect(names.length, heading).toBeGreaterThan(1)
    return `type Named${index} = ${names.join(' | ')}
export const all${index}: Named${index} extends ${type} | 'TIMEOUT' ? ${type} extends Named${index} ? true : Exclude<${type}, Named${index}> : Exclude<Named${index}, ${type}> = true`
  })
  const source = `import type { CallOptions, ClientCode, ClientEvents, ClientOptions, Clock, SnapshotListener } from 'rally-client'\n${checks.join('\n')}\n`
  await writeFile(join(project.folder, 'tables.ts'), source)
  await compile(['tables.ts'])

  const both = `${page}${await docs('netcode.md')}`
  const names = [client, nodeClient, play].flatMap((entry) => Object.keys(entry))
  expect(names.filter((name) => !both.includes(`\`${name}`) && !both.includes(`{ ${name}`))).toEqual([])
}, 60_000)

test('its program for Node signs in once', async ({ rally }) => {
  const { secret } = await register(rally.url, 'ada')
  const example = (await examplesOf('client.md')).find((code) => code.startsWith('// sign-in-once.ts\n')) ?? ''
  expect(example.split('\n').length).toBeLessThanOrEqual(17)
  await writeFile(join(project.folder, 'sign-in-once.ts'), example)
  const start = async (input: string) => {
    const program = run(
      process.execPath,
      ['--import', inRoot('node_modules/tsx/dist/esm/index.mjs'), 'sign-in-once.ts', rally.url, 'ada'],
      {
        cwd: project.folder,
      },
    )
    program.child.stdin?.end(input)
    return (await program).stdout
  }
  expect(await start(`${codeOf(secret, 1)}\n`)).toBe('Code: Signed in as ada\n')
  expect((await stat(join(project.folder, '.rally/session'))).mode & 0o777).toBe(0o600)
  expect(await start('')).toBe('Signed in as ada\n')
}, 60_000)
