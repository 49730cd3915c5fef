// Generates the Prisma client into src/db/generated. Prisma asks for a schema engine binary that generation never
// runs; naming any executable keeps the step offline and quick.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Without its generator or the schema this is an install of what was built elsewhere, which needs no generating. */
function generator() {
  if (!existsSync(join(root, 'prisma', 'schema.prisma'))) return undefined
  try {
    return join(dirname(createRequire(import.meta.url).resolve('prisma/package.json')), 'build', 'index.js')
  } catch {
    return undefined
  }
}

const prisma = generator()
if (prisma === undefined) {
  process.stderr.write('generate: no Prisma generator or no schema here, nothing to do\n')
} else {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [prisma, 'generate', '--no-hints'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
  })
  if (status !== 0) process.stderr.write(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}\n`)
  process.exitCode = status ?? 1
}
