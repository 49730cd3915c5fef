import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.md'),
)
const pages = ['README.md', ...inDocs.map((name) => `docs/${name}`)]
const read = (page: string) => readFileSync(join(root, page), 'utf8')

test.each(pages)('the links of %s lead somewhere', (page) => {
  const targets = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)]
  const missing = targets
    .map(([, target = '']) => join(root, dirname(page), target))
    .filter((file) => !existsSync(file))
  expect(missing).toEqual([])
})

test('the commands that the pages name exist', () => {
  const text = pages.map(read).join('\n')
  const makefile = read('Makefile')
  for (const [, target] of text.matchAll(/(?:^|`)make ([a-z0-9-]+)\b/gm))
    expect(makefile).toMatch(new RegExp(`^${target}:`, 'm'))
  const { scripts }: { scripts: object } = JSON.parse(read('package.json'))
  for (const [, name = ''] of text.matchAll(/\bnpm run ([a-z:]+)/g)) expect(Object.keys(scripts)).toContain(name)
})
