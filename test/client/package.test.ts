import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { rallyTest } from '../support/rally-test.ts'

const test = rallyTest()
const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

/** What somebody writes who has installed Rally. */
const PROGRAM = `
import { WebSocket } from 'ws'
import { createClient } from 'rally/client'
import { play } from 'rally/client/play'
import { pong } from 'rally/games/pong'
import type { Api } from 'rally/api'

const rally = createClient<Api>({ url: process.argv[2] ?? '', WebSocket, play })
const { items } = await rally.matches.list({ game: 'pong' })
const missing = await rally.matches.getOne.try({ matchId: '00000000-0000-4000-8000-000000000000' })
if (missing.ok) throw new Error('there is no such match')
// @ts-expect-error a code of joining
if (missing.error.code === 'MATCH_FULL') throw missing.error
// @ts-expect-error there is no such method
if (items.length > 0) await rally.matches.steal({})
export const join = (matchId: string) => rally.play(matchId, pong).input({ move: 1 })
console.log(items.length, missing.error.code, pong.tickRate)
rally.close()
`

const compilerOptions = { strict: true, target: 'es2023', module: 'nodenext', types: ['node'] }

test('a project of its own has the client, the netcode, the rules and the types', async ({ rally }) => {
  const folder = await mkdtemp(join(tmpdir(), 'rally-package-'))
  try {
    const [packed, project] = [join(folder, 'rally'), join(folder, 'project')]
    await mkdir(packed)
    await cp(join(root, 'package.json'), join(packed, 'package.json'))
    await symlink(join(root, 'node_modules'), join(packed, 'node_modules'))
    await tsc('-p', root, '--outDir', join(packed, 'dist'), '--tsBuildInfoFile', join(folder, 'tsbuildinfo'))

    await mkdir(join(project, 'node_modules', '@types'), { recursive: true })
    await symlink(packed, join(project, 'node_modules', 'rally'))
    for (const name of ['ws', '@types/ws', '@types/node']) {
      await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name))
    }
    await writeFile(join(project, 'package.json'), '{ "type": "module" }')
    await writeFile(join(project, 'program.ts'), PROGRAM)
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
    await tsc('-p', project)
    const { stdout } = await run(process.execPath, [join(project, 'program.js'), rally.url])
    expect(stdout.trim()).toBe('0 NOT_FOUND 60')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 120_000)

/** Rejects with what the compiler said. */
async function tsc(...args: string[]): Promise<void> {
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...args]).catch((error: unknown) => {
    throw new Error(error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error))
  })
}
