import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { generateSync } from 'otplib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { isChromiumInstalled, launchChromium } from '../e2e/support/chromium.ts'
import { createEmptyTestDatabase, type TestDatabase } from '../support/database.ts'
import { execute } from '../support/postgres.ts'
import { examplesOf, RepositoryCopy, run } from './repository-copy.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const modules = join(root, 'node_modules')
const Packed = z.tuple([
  z.object({ filename: z.string(), size: z.number(), files: z.array(z.object({ path: z.string() })) }),
])
interface Package {
  readonly tarball: string
  readonly bytes: number
  readonly files: readonly string[]
}

let copy: RepositoryCopy
let database: TestDatabase
let server: Package
let client: Package
/** The folder of somebody who has installed both packages. */
const app = mkdtempSync(join(tmpdir(), 'rally-application-'))
let running: ChildProcess | undefined
let url = ''

beforeAll(async () => {
  copy = await RepositoryCopy.make()
  database = await createEmptyTestDatabase()
  server = await pack(copy.folder)
  client = await pack(join(copy.folder, 'packages/client'))
})
afterAll(async () => {
  if (running?.exitCode === null && running.kill('SIGKILL')) await once(running, 'exit')
  await database?.drop()
  copy?.remove()
  rmSync(app, { recursive: true, force: true })
})

async function pack(folder: string): Promise<Package> {
  const output = await run(folder, 'npm', ['pack', '--json', '--pack-destination', copy.folder])
  const [{ filename, size, files }] = Packed.parse(JSON.parse(output.slice(output.indexOf('[\n'))))
  return { tarball: join(copy.folder, filename), bytes: size, files: files.map(({ path }) => path) }
}

function write(file: string, text: string): void {
  mkdirSync(dirname(join(app, file)), { recursive: true })
  writeFileSync(join(app, file), text)
}

const node = (script: string, ...args: readonly string[]) => run(app, process.execPath, [script, ...args])

/** Plays as two players on one keyboard, and uses the module, as a program with the client. */
const PLAYER = `import { generateSync } from 'otplib'
import { createClient } from 'rally-client/node'
import { play } from 'rally-client/play'
import { WebSocket } from 'ws'
import type { Api } from './server.ts'
import { toTen } from './to-ten.ts'

const rally = createClient<Api>({ url: process.argv[2] ?? '', WebSocket, cookieFile: 'session', play })
const signIn = await rally.signIn('ada')
if (signIn.status !== 'candidate') throw new Error('the name was free')
await signIn.verify(generateSync({ secret: signIn.secret }))
await rally.shop.buy({ item: 'hat' })
const { count } = await rally.shop.buy({ item: 'hat' })
const { id } = await rally.matches.create({ game: 'to-ten', mode: 'local' })
const match = rally.play(id, toTen)
match.on('confirmed', ({ state }) => match.input({ add: 2 }, state.turn))
const end = await new Promise<unknown>((resolve, reject) => {
  match.on('end', ({ outcome }) => resolve(outcome))
  match.on('error', reject)
  match.on('status', (status) => status === 'live' && match.input({ add: 2 }, 0))
})
const { items } = await rally.matches.history({})
console.log(JSON.stringify({ count, end, stored: items.map(({ game, winnerSeat }) => ({ game, winnerSeat })) }))
rally.close()
`

describe.sequential('the packages', () => {
  test('hold what runs, and nothing else', () => {
    const kinds = new Set(server.files.map((path) => path.replace(/[^/]*\//g, (part) => part).split('/')[0]))
    expect([...kinds].toSorted()).toEqual(['LICENSE', 'README.md', 'dist', 'docs', 'package.json', 'prisma', 'web'])
    const strange = server.files.filter(
      (path) =>
        !/^(LICENSE|README\.md|package\.json|dist\/.*\.(js|d\.ts)|prisma\/migrations\/\d+_\w+\/migration\.sql|docs\/.+\.md|web\/dist\/.+)$/.test(
          path,
        ),
    )
    expect(strange).toEqual([])
    expect(server.files.filter((path) => /\.map$|^dist\/client\//.test(path))).toEqual([])
    for (const file of [
      'dist/rally.js',
      'dist/rally.d.ts',
      'dist/main.js',
      'dist/db/generated/client.js',
      'web/dist/index.html',
    ]) {
      expect(server.files).toContain(file)
    }
    expect(
      client.files.filter((path) => !/^(LICENSE|README\.md|package\.json|dist\/.*\.(js|d\.ts))$/.test(path)),
    ).toEqual([])
    expect(server.bytes).toBeLessThan(2 * 1024 * 1024)
    expect(client.bytes).toBeLessThan(128 * 1024)
  })

  test('are installed in an empty folder, and the client alone without the server', async () => {
    const { devDependencies, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const install = (...packages: string[]) =>
      run(app, 'npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...packages])
    write('package.json', '{ "private": true, "type": "module" }')
    await install(client.tarball)
    const lock = z.object({ packages: z.record(z.string(), z.unknown()) })
    const { packages } = lock.parse(JSON.parse(readFileSync(join(app, 'package-lock.json'), 'utf8')))
    expect(Object.keys(packages)).toEqual(['', 'node_modules/rally-client'])
    await install(server.tarball, `zod@${dependencies.zod}`, `ws@${devDependencies.ws}`)
    // The tools of the application's author, which are those of this repository.
    mkdirSync(join(app, 'node_modules/@types'), { recursive: true })
    for (const name of ['node', 'ws']) {
      const types = join(app, 'node_modules/@types', name)
      if (!existsSync(types)) symlinkSync(join(modules, '@types', name), types)
    }
  })

  test('make an application with a module, a table, a game and a page, all typed', async () => {
    const page = readFileSync(join(root, 'docs/extending.md'), 'utf8')
    for (const [file, source] of examplesOf('docs/extending.md')) {
      if (!/guestbook|prisma/.test(file)) write(file, source)
      // The same module as in the repository: only what it imports from outside of its folder has another name.
      if (!file.startsWith('src/modules/')) continue
      const shared = /'(?:\.\.\/)+(?:db\/sql|rpc\/index|define|periodic-jobs|scope|usernames)\.ts'/g
      write(file.replace('modules/', ''), source.replaceAll(shared, "'rally/server'"))
    }
    const [, config = ''] = /^```json\n(.*?)^```$/ms.exec(page) ?? []
    write('tsconfig.json', config)
    write('src/player.ts', PLAYER)
    write(
      'page/tsconfig.json',
      '{ "extends": "../tsconfig.json", "compilerOptions": { "noEmit": true, "rootDir": ".." }, "include": ["main.ts"] }',
    )
    await node(join(modules, 'typescript/bin/tsc'), '-p', '.')
    await node(join(modules, 'typescript/bin/tsc'), '-p', 'page')
    await node(join(modules, 'vite/bin/vite.js'), 'build', 'page')
    write(
      'page/wrong.ts',
      "import { createClient } from 'rally-client'\nimport type { Api } from '../src/server.ts'\nawait createClient<Api>().shop.buy({ item: 1 })\n",
    )
    write(
      'page/tsconfig.json',
      '{ "extends": "../tsconfig.json", "compilerOptions": { "noEmit": true, "rootDir": ".." }, "include": ["wrong.ts"] }',
    )
    await expect(node(join(modules, 'typescript/bin/tsc'), '-p', 'page')).rejects.toThrow(
      "'number' is not assignable to type 'string'",
    )
  })

  test('serve its page, its method and its game', async () => {
    const env = {
      ...process.env,
      PORT: '0',
      DATABASE_URL: database.url,
      DATA_DIR: join(app, '.data'),
      LOG_LEVEL: 'warn',
    }
    running = spawn(process.execPath, ['dist/server.js'], { cwd: app, env, stdio: ['ignore', 'pipe', 'inherit'] })
    const output = running.stdout
    if (!output) throw new Error('the server has no output')
    const [line] = await once(createInterface(output), 'line')
    url = String(line).replace('ready at ', '')
    expect(await (await fetch(url)).text()).toContain('<title>To ten</title>')
    expect(JSON.parse(await node('dist/player.js', url))).toEqual({
      count: 2,
      end: { placements: [1, 2], scores: [1, 0] },
      stored: [{ game: 'to-ten', winnerSeat: 0 }],
    })
    const { rows } = await execute(database.url, 'SELECT migration_name AS name FROM _application_migrations')
    expect(rows).toEqual([{ name: '20260101000000_shop' }])
  })

  test.skipIf(!isChromiumInstalled)('serve a page where a user signs in, uses the module and plays', async () => {
    await using browser = await launchChromium()
    const page = await browser.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(String(error)))
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    let asked = ''
    page.on('dialog', (dialog) => {
      asked = dialog.message()
      const [, secret] = /^Add (\w+) /.exec(asked) ?? []
      void dialog.accept(secret ? generateSync({ secret }) : 'ben')
    })
    await page.goto(url)
    await page.getByText('hat number 1').waitFor()
    expect(asked).toMatch(/Its code\?$/)
    const clickAndRead = async () => {
      await page.click('body')
      return page.textContent('body')
    }
    // In turns two of the player and one of the bot.
    await expect.poll(clickAndRead, { timeout: 20_000, interval: 200 }).toMatch(/: .*\b11\b/s)
    expect(problems).toEqual([])
  })

  test('stop', async () => {
    running?.kill('SIGTERM')
    expect(running && (await once(running, 'exit'))).toEqual([0, null])
  })

  test('make the cinema, an application of its own, which sells each seat once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rally-cinema-'))
    const own = await createEmptyTestDatabase()
    try {
      const isSource = (path: string) => !/\/(node_modules|dist)$/.test(path)
      cpSync(join(root, 'examples/cinema'), folder, { recursive: true, filter: isSource })
      const file = join(folder, 'package.json')
      const { dependencies, ...rest } = JSON.parse(readFileSync(file, 'utf8'))
      expect(Object.keys(dependencies)).toEqual(['rally'])
      writeFileSync(file, JSON.stringify({ ...rest, dependencies: { rally: `file:${server.tarball}` } }))
      await run(folder, 'npm', ['install', '--prefer-offline', '--omit=dev', '--no-audit', '--no-fund'])
      mkdirSync(join(folder, 'node_modules/@types'), { recursive: true })
      const types = join(folder, 'node_modules/@types/node')
      if (!existsSync(types)) symlinkSync(join(modules, '@types/node'), types)
      await run(folder, process.execPath, [join(modules, 'typescript/bin/tsc')])
      const env = { DATABASE_URL: own.url }
      expect(await run(folder, process.execPath, ['--test', 'dist/racers.test.js'], env)).toContain('pass 1')
    } finally {
      await own.drop()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
