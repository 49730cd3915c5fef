// Generates the Prisma client. Prisma asks for a schema engine binary that generation never runs;
// naming any executable keeps the step offline and quick.
import { spawnSync } from 'node:child_process'

const { status } = spawnSync(process.execPath, ['node_modules/prisma/build/index.js', 'generate', '--no-hints'], {
  stdio: ['ignore', 'ignore', 'inherit'],
  env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
})
process.exit(status ?? 1)
