import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'

const root = fileURLToPath(new URL('../..', import.meta.url))
const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')

const Report = z.object({
  diagnostics: z.array(z.object({ category: z.string(), location: z.object({ path: z.string() }) })),
})

/** One violation a file, and the rule that has to find it; null for what has to pass. */
const cases: readonly (readonly [file: string, source: string, rule: string | null])[] = [
  ['src/rpc/environment.ts', 'export const port = process.env.PORT\n', 'style/noProcessEnv'],
  ['src/config.ts', 'export const port = process.env.PORT\n', 'style/noProcessEnv'],
  ['src/rally.ts', 'export const port = process.env.PORT\n', null],
  ['scripts/environment.ts', 'export const port = process.env.PORT\n', null],
  ['src/rpc/talkative.ts', "console.log('hello')\n", 'suspicious/noConsole'],
  ['bench/talkative.ts', "console.log('hello')\n", null],
  ['src/rpc/any.ts', 'export const value: any = 1\n', 'suspicious/noExplicitAny'],
  ['src/rpc/sure.ts', 'export const first = (all: number[]) => all[0]!\n', 'style/noNonNullAssertion'],
  ['src/rpc/default.ts', 'export default 1\n', 'style/noDefaultExport'],
  ['web/vite.config.ts', 'export default {}\n', null],
  ['src/rpc/enum.ts', 'export enum Size {\n  Big = 1,\n}\n', 'style/noEnum'],
  ['src/rpc/node.ts', "import 'fs'\n", 'style/useNodejsImportProtocol'],
  ['src/games/bytes.ts', "export const bytes = Buffer.from('')\n", 'style/noRestrictedGlobals'],
  ['src/server/bytes.ts', "export const bytes = Buffer.from('')\n", null],
]

let folder: string
const found = new Map<string, string[]>()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rally-lint-'))
  const config: object = JSON.parse(await readFile(join(root, 'biome.json'), 'utf8'))
  await writeFile(join(folder, 'biome.json'), JSON.stringify({ ...config, $schema: undefined, vcs: undefined }))
  await cp(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'))
  for (const [file, source] of cases) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeFile(join(folder, file), source)
  }
  const output = await new Promise<string>((resolve) => {
    const args = [biome, 'lint', '--error-on-warnings', '--max-diagnostics=none', '--reporter=json', '.']
    execFile(process.execPath, args, { cwd: folder }, (_error, stdout) => resolve(stdout))
  })
  for (const { category, location } of Report.parse(JSON.parse(output)).diagnostics) {
    const file = location.path.replace(/^\.\//, '')
    found.set(file, [...(found.get(file) ?? []), category.replace(/^lint\//, '')])
  }
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test.each(cases)('%s', (file, _source, rule) => {
  expect(found.get(file) ?? []).toEqual(rule === null ? [] : [rule])
})
