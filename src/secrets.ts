import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** One key for secrets at rest. `id` is stored beside what it encrypted, so that keys can be changed. */
export interface EncryptionKey {
  readonly id: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

export interface Secrets {
  readonly ticket: Uint8Array
  readonly cookie: Uint8Array
  /** Newest first: the first encrypts, all decrypt. */
  readonly encryption: readonly [EncryptionKey, ...EncryptionKey[]]
}

/** The variables that hold secrets. */
type Given = Readonly<Partial<Record<'JWT_SECRET' | 'COOKIE_SECRET' | 'ENCRYPTION_KEY', string | undefined>>>
type Refuse = (name: keyof Given | 'DATA_DIR', why: string) => void

const MIN_SECRET_LENGTH = 32

/** The secrets of the environment; in development those that are missing are made, and kept in `dataDir`. */
export function readSecrets(env: Given, production: boolean, dataDir: string, refuse: Refuse): Secrets {
  const kept = production ? {} : keptSecrets(dataDir, refuse)
  const secret = (name: 'JWT_SECRET' | 'COOKIE_SECRET'): Uint8Array => {
    const value = env[name] ?? kept[name]
    if (value === undefined) refuse(name, 'is not set')
    else if (isWeak(value)) refuse(name, 'is weak; use 32 random characters or more (openssl rand -base64 48)')
    return new TextEncoder().encode(value ?? '')
  }
  const ticket = secret('JWT_SECRET')
  const cookie = secret('COOKIE_SECRET')
  if (env.JWT_SECRET !== undefined && env.JWT_SECRET === env.COOKIE_SECRET) {
    refuse('COOKIE_SECRET', 'is the same as JWT_SECRET')
  }
  const encryption = readKeys(env.ENCRYPTION_KEY ?? kept.ENCRYPTION_KEY, refuse)
  return { ticket, cookie, encryption }
}

/** `ENCRYPTION_KEY` is `[<id>:]<32 bytes in base64 or hex>`, several separated by commas, newest first. */
function readKeys(text: string | undefined, refuse: Refuse): readonly [EncryptionKey, ...EncryptionKey[]] {
  const none: EncryptionKey = { id: '', key: new Uint8Array(32) }
  if (text === undefined) {
    refuse('ENCRYPTION_KEY', 'is not set')
    return [none]
  }
  const keys = text.split(',').map((part): EncryptionKey => {
    const [, id, encoded = ''] = /^(?:([A-Za-z0-9_-]{1,32}):)?(.*)$/s.exec(part.trim()) ?? []
    const key = new Uint8Array(Buffer.from(encoded, /^[0-9a-f]{64}$/i.test(encoded) ? 'hex' : 'base64'))
    if (key.length !== 32) refuse('ENCRYPTION_KEY', 'a key is 32 bytes in base64 or hex (openssl rand -base64 32)')
    else if (new Set(key).size < 8) refuse('ENCRYPTION_KEY', 'a key is weak; use 32 random bytes')
    return { id: id ?? fingerprint(key), key }
  })
  if (new Set(keys.map(({ id }) => id)).size < keys.length) refuse('ENCRYPTION_KEY', 'two keys have the same id')
  const [newest = none, ...older] = keys
  return [newest, ...older]
}

/** Names a key without telling it. */
function fingerprint(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8)
}

/** Short, or made of so few different characters that it is a word or a row of keys. */
function isWeak(secret: string): boolean {
  return secret.length < MIN_SECRET_LENGTH || new Set(secret).size < 10 || /change.?me|your.?secret/i.test(secret)
}

const Kept = z.object({ JWT_SECRET: z.string(), COOKIE_SECRET: z.string(), ENCRYPTION_KEY: z.string() }).partial()
type Kept = z.infer<typeof Kept>

/** The secrets of a development server: made on the first start, the same on every later one. */
function keptSecrets(dataDir: string, refuse: Refuse): Kept {
  const file = join(dataDir, 'secrets.json')
  if (existsSync(file)) return readKept(file, refuse)
  const made = {
    JWT_SECRET: randomBytes(48).toString('base64'),
    COOKIE_SECRET: randomBytes(48).toString('base64'),
    ENCRYPTION_KEY: `dev:${randomBytes(32).toString('base64')}`,
  }
  // Traversable, as the embedded Postgres keeps its data below and may run as another user.
  mkdirSync(dataDir, { recursive: true })
  const draft = `${file}.${randomUUID()}`
  writeFileSync(draft, JSON.stringify(made, null, 2), { mode: 0o600, flush: true })
  try {
    // A link appears with its whole content, and only where there was none: of two that start at once, one's count.
    linkSync(draft, file)
    return made
  } catch (error) {
    if (!existsSync(file)) throw error
    return readKept(file, refuse)
  } finally {
    rmSync(draft)
  }
}

function readKept(file: string, refuse: Refuse): Kept {
  try {
    return Kept.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    refuse('DATA_DIR', `${file} does not hold the secrets that were kept there; restore it, or remove it`)
    return {}
  }
}
