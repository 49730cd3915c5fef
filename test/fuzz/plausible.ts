import { codeOf } from '../support/server.ts'
import { readShape, type Shape } from './catalogue.ts'
import type { Random } from './random.ts'

/** Values of earlier answers by field name, newest last, so that inputs name things that exist. */
export class Pools {
  readonly #pools = new Map<string, string[]>()
  readonly #shared: Pools | undefined

  /** What only one socket can use stays here, the rest goes to `shared`. */
  constructor(shared?: Pools) {
    this.#shared = shared
  }

  add(field: string, value: string): void {
    if (this.#shared && field !== 'secret') {
      this.#shared.add(field, value)
      return
    }
    const pool = this.#pools.get(field) ?? []
    this.#pools.set(field, pool)
    if (pool.includes(value)) return
    pool.push(value)
    if (pool.length > 32) pool.shift()
  }

  of(field: string): readonly string[] {
    return this.#pools.get(field) ?? this.#shared?.of(field) ?? []
  }

  /** Collects the values of an answer, at any depth, that later frames can use. */
  learn(value: unknown, field = ''): void {
    if (typeof value === 'string') {
      if (learned.has(field)) this.add(learned.get(field) ?? field, value)
    } else if (Array.isArray(value)) {
      for (const item of value.slice(0, 8)) this.learn(item, field)
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) this.learn(inner, key)
      if (!('id' in value) || typeof value.id !== 'string') return
      const kind = ['game', 'expiresAt', 'username'].find((key) => key in value)
      if (kind !== undefined) this.add(idFields[kind] ?? '', value.id)
    }
  }
}

/** What the `id` of an object is that has such a field: of a match, a session, a user. */
const idFields: Readonly<Record<string, string>> = { game: 'matchId', expiresAt: 'sessionId', username: 'userId' }

const learned: ReadonlyMap<string, string> = new Map([
  ['channel', 'channel'],
  ['code', 'code'],
  ['username', 'username'],
  ['nextCursor', 'cursor'],
  ['recoveryCodes', 'recoveryCode'],
  ['userId', 'userId'],
  ['secret', 'secret'],
])

/** The pattern of the codes of authenticator apps. */
const SIX_DIGITS = '^\\d{6}$'

/** For fields without a schema, such as the inputs of games. */
const anything: readonly [unknown, ...unknown[]] = [
  { move: 1 },
  { move: -1 },
  { move: 0 },
  { column: 3 },
  { column: null },
  {},
  null,
  3,
  'x',
  { pointsToWin: 3 },
  { first: 'random' },
]

/** A value that fits the schema, or nearly. */
export function plausible(schema: unknown, random: Random, pools: Pools, field = ''): unknown {
  const shape = readShape(schema)
  if (shape.const !== undefined) return shape.const
  if (shape.enum) return random.pick(shape.enum)
  const choices = shape.anyOf ?? shape.oneOf
  if (choices) return plausible(random.pick(choices) ?? {}, random, pools, field)
  switch (shape.type) {
    case 'object':
      return plausibleObject(shape, random, pools)
    case 'array':
      return Array.from({ length: random.below(4) }, () => plausible(shape.items ?? {}, random, pools, field))
    case 'integer':
    case 'number':
      return plausibleNumber(shape, random, field)
    case 'string':
      return plausibleString(shape, random, pools, field)
    case 'boolean':
      return random.chance(0.5)
    case 'null':
      return null
    default:
      return random.pick(anything)
  }
}

function plausibleObject(shape: Shape, random: Random, pools: Pools): Record<string, unknown> {
  const { properties = {}, required = [] } = shape
  const fields = Object.entries(properties).filter(([name]) => required.includes(name) || random.chance(0.5))
  const object: Record<string, unknown> = {}
  for (const [name, schema] of fields) object[name] = plausible(schema, random, pools, name)
  return Object.keys(properties).length === 0 && random.chance(0.5) ? { pointsToWin: 1 + random.below(22) } : object
}

/** Where few numbers of those that the schema allows are taken. */
const usualNumbers: Readonly<Record<string, readonly [number, ...number[]]>> = { size: [2, 4, 8, 16] }

function plausibleNumber({ minimum = 0, maximum = 1000 }: Shape, random: Random, field: string): number {
  const usual = usualNumbers[field]
  if (usual && random.chance(0.8)) return random.pick(usual)
  const low = Math.max(minimum, -1000)
  const high = Math.min(maximum, low + 100_000)
  return low + random.below(high - low + 1)
}

function plausibleString(shape: Shape, random: Random, pools: Pools, field: string): string {
  const { minLength = 0, maxLength = 20, pattern = '' } = shape
  if (pattern === SIX_DIGITS) return sixDigits(random, pools)
  const known = random.pick(pools.of(field))
  const letters = Math.max(minLength, Math.min(maxLength, 1 + random.below(12)))
  const made = word(random, letters)
  return known !== undefined && random.chance(0.8) ? known : made
}

/** The code of an authenticator: mostly the right one for whoever began a registration last. */
function sixDigits(random: Random, pools: Pools): string {
  const secret = pools.of('secret').at(-1)
  const made = Array.from({ length: 6 }, () => String(random.below(10))).join('')
  return secret !== undefined && random.chance(0.8) ? codeOf(secret) : made
}

function word(random: Random, length: number): string {
  return Array.from({ length }, () => 'abcdefghijklmnopqrstuvwxyz_0123456789'[random.below(37)]).join('')
}
