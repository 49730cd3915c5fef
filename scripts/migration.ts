// Writes the migration that leads from the schema of the last one to prisma/schema.prisma, and generates the client:
//   npm run migration -- <name>           the difference, to be read and completed by hand
//   npm run migration -- <name> --empty   a file for SQL that a Prisma schema cannot say
import { spawnSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { diffSchemas } from './schema-diff.ts'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const SCHEMA = 'prisma/schema.prisma'
const MIGRATIONS = 'prisma/migrations'
/** The schema after all migrations. */
const LAST_SCHEMA = `${MIGRATIONS}/schema.prisma`
const HEAD = `// A copy of ${SCHEMA} as of the last migration, from which the next one is made. Not to be edited: npm run migration writes it.\n`

const [name, flag] = process.argv.slice(2)
if (name === undefined || !/^[a-z0-9_]+$/.test(name) || (flag !== undefined && flag !== '--empty')) {
  process.stderr.write('usage: npm run migration -- <name in a-z 0-9 _> [--empty]\n')
  process.exit(2)
}
const schema = await readFile(SCHEMA, 'utf8')
const script =
  flag === '--empty' ? '-- Write the SQL here.\n' : await diffSchemas(await readFile(LAST_SCHEMA, 'utf8'), schema)
if (script === undefined) {
  process.stderr.write(`${SCHEMA} has not changed since the last migration; --empty makes a file to write SQL in\n`)
  process.exit(1)
}
const folder = `${MIGRATIONS}/${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}_${name}`
await mkdir(folder)
await writeFile(`${folder}/migration.sql`, script)
await writeFile(LAST_SCHEMA, HEAD + schema)
process.stdout.write(`wrote ${folder}/migration.sql\n`)
process.exitCode = spawnSync(process.execPath, ['scripts/generate.mjs'], { stdio: 'inherit' }).status ?? 1
