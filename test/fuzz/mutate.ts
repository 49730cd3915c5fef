import type { Random } from './random.ts'

/** Written into the text as they are: JSON has no such values. */
const RAW = '\u{E000}raw:'

const strings: readonly [string, ...string[]] = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udfff\ud800',
  '\u202e\u2066',
  '👍🏽'.repeat(40),
  'x'.repeat(300),
  'é'.repeat(5_000),
  '\u0001'.repeat(120),
  '"'.repeat(200),
  "'; DROP TABLE users; --",
  '%s%n%x',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'toString',
  'NaN',
  'null',
  '1e999',
  '-1',
  '00000000-0000-0000-0000-000000000000',
  '2026-01-01T00:00:00Z',
  'ｆｕｌｌｗｉｄｔｈ',
  'İstanbul',
  'matches.onLobby',
  'live.onState/x/state/60',
]

const numbers: readonly [unknown, ...unknown[]] = [
  0,
  `${RAW}-0`,
  -1,
  0.1,
  1e21,
  -1e308,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53) - 2,
  5e-324,
  `${RAW}1e999`,
  `${RAW}-1e999`,
  `${RAW}123456789012345678901234567890`,
  `${RAW}0.${'3'.repeat(400)}`,
]

const keys: readonly [string, ...string[]] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  'toJSON',
  '',
  '\u0000',
  '\ud800',
  'length',
  'extra',
  'k'.repeat(2_000),
  '\u0001'.repeat(100),
]

/** A value that no schema expects. */
export function junk(random: Random): unknown {
  switch (random.below(7)) {
    case 0:
      return random.pick(strings)
    case 1:
      return random.pick(numbers)
    case 2:
      return random.pick([null, true, false, [], {}, [[]], [null], { a: { b: [] } }])
    case 3:
      return nested(random, 1 + random.below(60))
    case 4:
      return Array.from({ length: random.below(400) }, () => random.below(10))
    case 5:
      return Object.fromEntries(Array.from({ length: random.below(60) }, (_, index) => [`k${index}`, index]))
    default:
      return { [random.pick(keys)]: random.pick(strings), ...marked(random) }
  }
}

/** The same value with one part changed for the worse. */
export function spoil(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null || random.chance(0.1)) return junk(random)
  if (Array.isArray(value)) {
    const at = random.below(value.length + 1)
    return [...value.slice(0, at), spoil(value[at] ?? null, random), ...value.slice(at + 1)]
  }
  const entries = Object.entries(value)
  const at = random.below(entries.length)
  const [key, inner] = entries[at] ?? ['extra', null]
  switch (random.below(6)) {
    case 0:
      return fromEntries(entries.toSpliced(at, 1))
    case 1:
      return fromEntries([...entries, [random.pick(keys), junk(random)]])
    case 2:
      // The same key twice: all readers must take the same one.
      return fromEntries([...entries, [`${RAW}${key}`, junk(random)]])
    default:
      return fromEntries(entries.toSpliced(at, 1, [key, spoil(inner, random)]))
  }
}

/** JSON as a careless or hostile client writes it. */
export function write(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined'
  if (!text.includes(RAW)) return text
  // Numbers lose their quotes; a key only loses its mark, so that it equals another key.
  return text.replaceAll(new RegExp(`"${RAW}([^"]*)"(:?)`, 'g'), (_, raw, colon) => (colon ? `"${raw}":` : raw))
}

/** The text with a few characters replaced, doubled or removed. */
export function scramble(text: string, random: Random): string {
  let scrambled = text
  for (let edits = 1 + random.below(4); edits > 0; edits--) {
    const at = random.below(scrambled.length + 1)
    const insert = random.pick([
      '',
      '"',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '\\',
      '\\u',
      '\\ud83d',
      '9',
      '-',
      '\u2028',
      '\n',
    ])
    scrambled = scrambled.slice(0, at) + insert + scrambled.slice(at + random.below(4))
  }
  return scrambled
}

/** Nested arrays and objects. */
function nested(random: Random, depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = random.chance(0.5) ? [value] : { a: value }
  return value
}

function marked(random: Random): object {
  return random.chance(0.5) ? { [`${RAW}__proto__`]: { polluted: true } } : {}
}

/** Like `Object.fromEntries`, for any key, `__proto__` too. */
function fromEntries(entries: readonly (readonly [string, unknown])[]): object {
  const object = {}
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  }
  return object
}
