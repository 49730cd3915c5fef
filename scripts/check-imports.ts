// Holds every source of the server and the page against scripts/import-rules.ts. Part of `npm run lint`.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { checkImports, sources } from './import-rules.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = sources(root)
const violations = files.flatMap((file) => checkImports(file, readFileSync(`${root}/${file}`, 'utf8')))
for (const { file, line, message } of violations) process.stderr.write(`${file}:${line} ${message}\n`)
process.stdout.write(`imports: ${files.length} files, ${violations.length} against the rules\n`)
if (violations.length > 0) process.exitCode = 1
