import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, expect } from 'vitest'
import { ServerProcess } from '../recovery/server-process.ts'
import { connect, within } from '../support/client.ts'
import { newcomer, openSocket } from '../support/newcomers.ts'
import { rallyTest } from '../support/rally-test.ts'
import { register } from '../support/server.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Runs the command with these variables alone. */
function grant(environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
  return run(ROOT, 'src/commands/grant-admin.ts', environment, args)
}

async function run(
  cwd: string,
  script: string,
  environment: Readonly<Record<string, string>>,
  args: readonly string[],
) {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), join(ROOT, script), ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...environment },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
  const [code] = await once(child, 'close')
  return { code, said }
}

const test = rallyTest()

test('the command makes the first admin beside a running server, whose sockets come back with the role', async ({
  rally,
}) => {
  const player = await newcomer(rally)
  const { username, id: userId } = player.player
  const environment = { DATABASE_URL: rally.database.url, NODE_ENV: 'production' }
  expect(await grant(environment, username.toUpperCase())).toEqual({
    code: 0,
    said: `${username} is an admin now. Pages of theirs that are open get the role within a second.\n`,
  })
  expect(await within(player.client.closed, 'the close', 1_500)).toMatchObject({ code: 4001 })
  await using again = await openSocket(rally, player.player)
  const { items } = await again.call<{ items: object[] }>('admin.audit')
  expect(items).toMatchObject([
    { act: 'setRole', admin: null, address: null, user: { id: userId }, details: { role: 'admin' } },
  ])

  const away = { DATABASE_URL: 'postgresql://a:b@127.0.0.1:1/c' }
  const [known, unknown, wrong, nothing] = await Promise.all([
    grant(environment, username),
    grant(environment, 'nobody_here'),
    grant(environment, username, 'ben'),
    grant(away, username),
  ])
  expect(known).toEqual({ code: 0, said: `${username} is an admin already.\n` })
  expect(unknown).toEqual({
    code: 1,
    said: 'There is no user "nobody_here". Register this name on the page first.\n',
  })
  expect(wrong).toMatchObject({ code: 2, said: expect.stringContaining('usage:') })
  expect(nothing).toMatchObject({ code: 1, said: expect.stringContaining('Nothing was done') })
  expect(await again.call('admin.audit')).toEqual({ items })
}, 60_000)

test('`npm run admin` reads .env, unless it is for containers', async ({ rally }) => {
  const { username } = (await newcomer(rally)).player
  await using folder = await temporaryFolder()
  const file = join(folder.path, '.env')
  await writeFile(file, `COMPOSE_PROFILES=small\nDATABASE_URL=${rally.database.url}\n`)
  expect(await run(folder.path, 'scripts/admin.ts', {}, [username])).toMatchObject({ code: 1 })
  await writeFile(file, `DATABASE_URL=${rally.database.url}\n`)
  expect(await run(folder.path, 'scripts/admin.ts', {}, [username])).toMatchObject({ code: 0 })
})

base('where there is no database the command says so, and makes none', async () => {
  await using folder = await temporaryFolder()
  const { code, said } = await grant({ DATA_DIR: folder.path }, 'ada')
  expect(code).toBe(1)
  expect(said).toContain(`There is no database in ${folder.path}. Set DATABASE_URL or DATA_DIR`)
  expect(await readdir(folder.path)).toEqual([])
})

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'rally-admin-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

base(
  'the command finds the Postgres of a server that keeps its own',
  async () => {
    await using server = await ServerProcess.create({})
    await server.start()
    const ada = await register(server.url, 'ada')
    expect(await grant({ DATA_DIR: server.dataDir }, 'ada')).toMatchObject({ code: 0 })
    await using socket = await connect(server.url, { cookie: ada.cookie })
    await socket.call('admin.users')
  },
  60_000,
)
