import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Environment } from './environment.ts'

/** One key for secrets at rest. `id` is stored beside what it encrypted, so that keys can be changed. */
export interface EncryptionKey {
  readonly id: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

export interface Secrets {
  /** Signs tickets. */
  readonly ticket: Uint8Array
  /** Signs cookies. */
  readonly cookie: Uint8Array
  /** Newest first: the first one encrypts, all of them decrypt. */
  readonly encryption: readonly [EncryptionKey, ...EncryptionKey[]]
}

const MIN_LENGTH = 32
const MIN_CHARACTERS = 10

/**
 * Reads the secrets of a server, and refuses those that are missing or weak.
 *
 * @param keepIn where secrets that are not set are made and kept; undefined in production, where each has to be set
 */
export function readSecrets(env: Environment, keepIn: string | undefined): Secrets {
  const kept = keepIn === undefined ? {} : keptSecrets(keepIn, env)
  const secret = (name: 'JWT_SECRET' | 'COOKIE_SECRET'): Uint8Array => {
    const value = env.text(name) ?? kept[name]
    if (value === undefined) env.refuse(name, 'is not set')
    else if (isWeak(value)) env.refuse(name, 'is weak; use 32 random characters or more (openssl rand -base64 48)')
    return new TextEncoder().encode(value ?? '')
  }
  const [ticket, cookie] = [secret('JWT_SECRET'), secret('COOKIE_SECRET')]
  const given = env.text('JWT_SECRET')
  if (given !== undefined && given === env.text('COOKIE_SECRET')) {
    env.refuse('COOKIE_SECRET', 'is the same as JWT_SECRET')
  }
  return { ticket, cookie, encryption: readKeys(env.text('ENCRYPTION_KEY') ?? kept.ENCRYPTION_KEY, env) }
}

/** Short, or made of so few different characters that it is a word or a row of keys. */
function isWeak(secret: string): boolean {
  return secret.length < MIN_LENGTH || new Set(secret).size < MIN_CHARACTERS || /change.?me|your.?secret/i.test(secret)
}

/** `ENCRYPTION_KEY` is `[<id>:]<32 bytes in base64 or hex>`, several separated by commas, newest first. */
function readKeys(text: string | undefined, env: Environment): Secrets['encryption'] {
  const none: EncryptionKey = { id: '', key: new Uint8Array(32) }
  if (text === undefined) {
    env.refuse('ENCRYPTION_KEY', 'is not set')
    return [none]
  }
  const keys = text.split(',').map((part): EncryptionKey => {
    const [, id, encoded = ''] = /^(?:([A-Za-z0-9_-]{1,32}):)?(.*)$/s.exec(part.trim()) ?? []
    const key = new Uint8Array(Buffer.from(encoded, /^[0-9a-f]{64}$/i.test(encoded) ? 'hex' : 'base64'))
    if (key.length !== 32) env.refuse('ENCRYPTION_KEY', 'a key is 32 bytes in base64 or hex (openssl rand -base64 32)')
    else if (new Set(key).size < 8) env.refuse('ENCRYPTION_KEY', 'a key is weak; use 32 random bytes')
    // A key without a name gets one that does not reveal it.
    return { id: id ?? createHash('sha256').update(key).digest('hex').slice(0, 8), key }
  })
  if (new Set(keys.map(({ id }) => id)).size < keys.length) env.refuse('ENCRYPTION_KEY', 'two keys have the same id')
  const [newest = none, ...older] = keys
  return [newest, ...older]
}

const Kept = z.object({ JWT_SECRET: z.string(), COOKIE_SECRET: z.string(), ENCRYPTION_KEY: z.string() }).partial()
type Kept = z.infer<typeof Kept>

/** The secrets of a development server: made on the first start, the same on every later one. */
function keptSecrets(dataDir: string, env: Environment): Kept {
  const file = join(dataDir, 'secrets.json')
  const made = {
    JWT_SECRET: randomBytes(48).toString('base64'),
    COOKIE_SECRET: randomBytes(48).toString('base64'),
    ENCRYPTION_KEY: `dev:${randomBytes(32).toString('base64')}`,
  }
  if (!existsSync(file) && keep(file, dataDir, made)) return made
  try {
    return Kept.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    env.refuse('DATA_DIR', `${file} does not hold the secrets that were kept there; restore it, or remove it`)
    return made
  }
}

/** False when another process has kept its secrets first. */
function keep(file: string, dataDir: string, made: Kept): boolean {
  // Traversable, as the embedded Postgres keeps its data below and may run as another user.
  mkdirSync(dataDir, { recursive: true })
  const draft = `${file}.${randomUUID()}`
  writeFileSync(draft, JSON.stringify(made, null, 2), { mode: 0o600, flush: true })
  try {
    // A link appears with its whole content, and only where there was no file.
    linkSync(draft, file)
    return true
  } catch (error) {
    if (!existsSync(file)) throw error
    return false
  } finally {
    rmSync(draft)
  }
}
