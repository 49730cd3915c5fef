import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../src/games/', import.meta.url))

/** Their results are exact by the ECMAScript specification, hence the same on every engine. */
const EXACT = new Set(['sqrt', 'min', 'max', 'floor', 'abs', 'imul'])

const FORBIDDEN: readonly [what: string, pattern: RegExp][] = [
  ['a power, whose last bit differs between engines', /\*\*/],
  ['Math passed around', /\bMath\b(?!\.)/],
  [
    'a clock or a timer',
    /\b(Date|performance|setTimeout|setInterval|setImmediate|queueMicrotask|requestAnimationFrame)\b/,
  ],
  ['chance from outside', /\b(crypto|getRandomValues|randomUUID)\b/],
  [
    'the surroundings',
    /\b(process|globalThis|window|document|self|Buffer|require|fetch|Intl)\b|\.toLocale|localeCompare/,
  ],
  ['a late import', /\bimport\s*\(/],
  ['asynchrony', /\b(async|await|Promise)\b/],
  ['state of the module', /^(export\s+)?(let|var)\b/m],
]

/** What is left of a source without its comments and the contents of its strings. */
function code(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, (match) =>
    match.startsWith('/') ? ' ' : "''",
  )
}

function problems(source: string): string[] {
  const text = code(source)
  const found = FORBIDDEN.filter(([, pattern]) => pattern.test(text)).map(([what]) => what)
  for (const [, name = ''] of text.matchAll(/\bMath\.(\w+)/g)) if (!EXACT.has(name)) found.push(`Math.${name}`)
  return found
}

const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))

describe('the rules of games', () => {
  test('are found', () => {
    expect(files).toContain(join('pong', 'rules.ts'))
    expect(files).toContain(join('connect-four', 'rules.ts'))
  })

  test.each(files)('%s uses only what is the same on every engine', (name) => {
    expect(problems(readFileSync(join(root, name), 'utf8'))).toEqual([])
  })

  test.each(files)('%s imports zod and other games files alone', (name) => {
    const path = join(root, name)
    const source = readFileSync(path, 'utf8')
    for (const [, specifier = ''] of source.matchAll(/^(?:import|export|\})[^'"\n]*?\bfrom\s+['"]([^'"]+)['"]/gm)) {
      if (specifier === 'zod') continue
      expect(specifier).toMatch(/^\..*\.ts$/)
      expect(relative(root, resolve(dirname(path), specifier))).not.toMatch(/^\.\./)
    }
    expect(source).not.toMatch(/^import\s+['"]/m)
  })

  test.each([
    ['Math.sin(x)', 'Math.sin'],
    ['Math.pow(x, 2)', 'Math.pow'],
    ['Math.random()', 'Math.random'],
    ['const { cos } = Math', 'Math passed around'],
    ['x ** 2', 'a power, whose last bit differs between engines'],
    ['Date.now()', 'a clock or a timer'],
    ['performance.now()', 'a clock or a timer'],
    ['let count = 0', 'state of the module'],
  ])('would not pass with %s', (source, problem) => {
    expect(problems(source)).toEqual([problem])
  })

  test('may speak of what they must not use', () => {
    expect(problems("// no Math.random\n/** nor x ** 2 */ const word = 'Date'\n  let inside = Math.sqrt(2)")).toEqual(
      [],
    )
  })
})
