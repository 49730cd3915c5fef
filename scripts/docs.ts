import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { breakingChanges } from './docs/breaking-changes.ts'
import { CONTRACT, currentContract, generatedPages } from './docs/pages.ts'

// Writes what is generated from the definitions: the contract, the tables of the protocol and the page of who may call what.
// A change that breaks clients is written with --breaking only.

const read = (path: string) => readFileSync(path, 'utf8')
const broken = existsSync(CONTRACT) ? breakingChanges(JSON.parse(read(CONTRACT)), currentContract()) : []
if (broken.length > 0 && !process.argv.includes('--breaking')) {
  process.stderr.write(`Clients would notice:\n${broken.map((line) => `  ${line}\n`).join('')}`)
  process.stderr.write('If that is meant, run `npm run docs -- --breaking` and say so in CHANGELOG.md.\n')
  process.exit(1)
}
for (const [path, text] of Object.entries(generatedPages(read))) {
  const isNew = !existsSync(path) || read(path) !== text
  if (isNew) writeFileSync(path, text)
  process.stdout.write(`${path}: ${isNew ? 'written' : 'as it was'}\n`)
}
