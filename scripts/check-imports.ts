// Checks every source of the server and the page against scripts/import-rules.ts. Part of `npm run lint`.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { checkImports, importCycles, sources } from './import-rules.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = new Map(sources(root).map((file) => [file, readFileSync(`${root}/${file}`, 'utf8')]))
const violations = [...files].flatMap(([file, source]) => checkImports(file, source))
for (const { file, line, message } of violations) process.stderr.write(`${file}:${line} ${message}\n`)
const cycles = importCycles(files)
for (const cycle of cycles) process.stderr.write(`a cycle: ${[...cycle, cycle[0]].join(' -> ')}\n`)
process.stdout.write(`imports: ${files.size} files, ${violations.length} against the rules, ${cycles.length} cycles\n`)
if (violations.length > 0 || cycles.length > 0) process.exitCode = 1
