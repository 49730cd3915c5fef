import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { defaultLimits, type Limits } from './protocol/index.ts'

/** One key for secrets at rest. `id` is stored beside what it encrypted, so that keys can be changed. */
export interface EncryptionKey {
  readonly id: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** Everything that the environment decides, checked. Times in milliseconds, sizes in bytes. */
export interface Config {
  /** What may be so, and is hardly meant. */
  readonly warnings: readonly string[]
  readonly production: boolean
  readonly host: string
  readonly port: number
  /** Where browsers reach this server, without a slash at its end. */
  readonly publicUrl: string
  /** Origins that may open a socket: the public one and those listed. */
  readonly allowedOrigins: ReadonlySet<string>
  /** Unset: Rally runs a Postgres of its own. */
  readonly databaseUrl: string | undefined
  readonly dataDir: string
  /** Carries what crosses nodes. Unset: this process is the only node. */
  readonly redisUrl: string | undefined
  readonly redisPrefix: string
  readonly secrets: {
    readonly ticket: Uint8Array
    readonly cookie: Uint8Array
    /** Newest first: the first encrypts, all decrypt. */
    readonly encryption: readonly [EncryptionKey, ...EncryptionKey[]]
  }
  readonly logLevel: string
  /** Proxies in front of Rally whose `X-Forwarded-For` entries are believed. */
  readonly trustedProxyHops: number
  /** From the signal to stop until the port closes: for whoever sends clients here to see that it is not ready. */
  readonly drainGraceMs: number
  /** For the requests under way, after that. */
  readonly drainMs: number
  readonly heartbeatMs: number
  /** How far back a player's input may take effect; 0 turns rewinding off. */
  readonly maxRewindMs: number
  readonly matches: {
    /** From the moment that everybody is there to the first tick. */
    readonly countdownMs: number
    /** How long a player may be away from a live match. */
    readonly comeBackMs: number
    /** A match that waits while all of its players are away is given up after this. */
    readonly emptyMs: number
    /** A match that waits for players is given up after this in any case. */
    readonly maxWaitMs: number
    /** In a turn-based match the seat to move loses after this long without a move. */
    readonly maxTurnMs: number
    /** Matches of one user that are not over. */
    readonly maxActive: number
  }
  /** Inputs and final states of finished matches are kept for so many days. */
  readonly replayDays: number
  readonly limits: Limits
  /** TCP connections of all kinds at once. */
  readonly maxConnections: number
  /** What `/metrics` is shown to from elsewhere than this machine; unset: to nobody. */
  readonly metricsToken: string | undefined
  /** Attempts to sign in from one address in five minutes. */
  readonly authPerIp: number
  /** Wrong codes in an hour, of the whole installation, from browsers that their user did not sign in with before. */
  readonly wrongCodesPerHour: number
  readonly database: {
    readonly poolSize: number
    readonly connectTimeoutMs: number
    readonly statementTimeoutMs: number
    readonly transactionTimeoutMs: number
  }
}

/** The environment does not make a server. Says every reason at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const MIN_SECRET_LENGTH = 32
const int = (fallback: number, min: number, max: number) => z.coerce.number().int().min(min).max(max).default(fallback)

const Environment = z.object({
  NODE_ENV: z.enum(['development', 'production', 'test']).default('development'),
  HOST: z.string().min(1).optional(),
  PORT: int(3001, 0, 65_535),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  ALLOWED_ORIGINS: z.string().default(''),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  POSTGRES_USER: z.string().optional(),
  POSTGRES_PASSWORD: z.string().optional(),
  POSTGRES_DB: z.string().optional(),
  POSTGRES_HOST: z.string().default('127.0.0.1'),
  POSTGRES_PORT: int(5432, 1, 65_535),
  DATA_DIR: z.string().min(1).default('.data'),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  REDIS_PREFIX: z.string().min(1).max(64).default('rally'),
  JWT_SECRET: z.string().optional(),
  COOKIE_SECRET: z.string().optional(),
  ENCRYPTION_KEY: z.string().optional(),
  METRICS_TOKEN: z.string().min(16).optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  TRUSTED_PROXY_HOPS: int(0, 0, 10),
  DRAIN_GRACE_MS: z.coerce.number().int().min(0).max(60_000).optional(),
  DRAIN_SECONDS: int(5, 0, 600),
  HEARTBEAT_SECONDS: int(15, 1, 120),
  MAX_REWIND_MS: int(100, 0, 1_000),
  MATCH_COUNTDOWN_MS: int(3_000, 0, 60_000),
  MATCH_COME_BACK_MS: int(30_000, 100, 3_600_000),
  MATCH_EMPTY_MS: int(60_000, 100, 3_600_000),
  MATCH_MAX_WAIT_MS: int(900_000, 1_000, 86_400_000),
  MATCH_MAX_TURN_MS: int(300_000, 1_000, 86_400_000),
  REPLAY_DAYS: int(90, 1, 36_500),
  DATABASE_POOL_SIZE: int(10, 2, 200),
  DATABASE_CONNECT_TIMEOUT_MS: int(2_000, 100, 60_000),
  DATABASE_STATEMENT_TIMEOUT_MS: int(5_000, 100, 600_000),
  DATABASE_TRANSACTION_TIMEOUT_MS: int(8_000, 100, 600_000),
  LIMIT_FRAME_BYTES: int(defaultLimits.frameBytes, 1024, 16 * 1024 * 1024),
  LIMIT_ANONYMOUS_FRAME_BYTES: int(defaultLimits.anonymousFrameBytes, 1024, 16 * 1024 * 1024),
  LIMIT_JSON_DEPTH: int(defaultLimits.jsonDepth, 4, 256),
  LIMIT_REQUESTS_IN_FLIGHT: int(defaultLimits.requestsInFlight, 1, 10_000),
  LIMIT_SUBSCRIPTIONS: int(defaultLimits.subscriptions, 1, 100_000),
  LIMIT_REQUESTS_PER_SECOND: int(defaultLimits.requestsPerSecond, 1, 10_000_000),
  LIMIT_REQUESTS_BURST: int(defaultLimits.requestsBurst, 1, 10_000_000),
  LIMIT_INPUTS_PER_SECOND: int(defaultLimits.inputsPerSecond, 1, 10_000_000),
  LIMIT_BYTES_PER_SECOND: int(defaultLimits.bytesPerSecond, 1024, 1024 * 1024 * 1024),
  LIMIT_BYTES_BURST: int(defaultLimits.bytesBurst, 1024, 1024 * 1024 * 1024),
  LIMIT_TIMES_PER_USER: int(defaultLimits.timesPerUser, 1, 1_000_000),
  LIMIT_TIMES_PER_IP: int(defaultLimits.timesPerIp, 1, 1_000_000),
  LIMIT_SOCKETS_PER_IP: int(defaultLimits.socketsPerIp, 1, 10_000_000),
  LIMIT_CONNECTIONS: int(20_000, 16, 10_000_000),
  LIMIT_UPGRADES_PER_SECOND: int(defaultLimits.upgradesPerSecond, 1, 10_000_000),
  LIMIT_UPGRADES_BURST: int(defaultLimits.upgradesBurst, 1, 10_000_000),
  // Unset: half of the pool.
  LIMIT_ANONYMOUS_READS: z.coerce.number().int().min(1).max(10_000).optional(),
  LIMIT_UNSENT_BYTES: int(defaultLimits.unsentBytes, 64 * 1024, 1024 * 1024 * 1024),
  LIMIT_LATEST_UNSENT_BYTES: int(defaultLimits.latestUnsentBytes, 4096, 1024 * 1024 * 1024),
  LIMIT_STREAM_FRAMES_PER_SECOND: int(defaultLimits.streamFramesPerSecond, 60, 1_000_000),
  LIMIT_STREAM_BYTES_PER_SECOND: int(defaultLimits.streamBytesPerSecond, 64 * 1024, 1024 * 1024 * 1024),
  LIMIT_REQUEST_MS: int(defaultLimits.requestMs, 100, 600_000),
  LIMIT_ANONYMOUS_IDLE_MS: int(defaultLimits.anonymousIdleMs, 1_000, 86_400_000),
  LIMIT_AUTH_PER_IP: int(100, 1, 10_000_000),
  LIMIT_WRONG_CODES_PER_HOUR: int(200, 1, 10_000_000),
  LIMIT_ACTIVE_MATCHES: int(10, 1, 1_000),
})
type Env = z.infer<typeof Environment>
type Variables = Readonly<Record<string, string | undefined>>
type Refuse = (name: keyof Env, why: string) => void

/**
 * Reads the environment. In development missing secrets are made once and kept in `<DATA_DIR>/secrets.json`.
 *
 * @throws ConfigError naming every variable that is missing, weak or malformed.
 */
export function readConfig(environment: Variables): Config {
  const problems: string[] = []
  const { env, malformed } = parse(environment, problems)
  const refuse: Refuse = (name, why) => {
    // Of what is malformed this is said already.
    if (!malformed.has(name)) problems.push(`${name}: ${why}`)
  }
  // Whoever wrote something else hardly meant development, which would make secrets and a database of its own.
  const production = env.NODE_ENV === 'production' || malformed.has('NODE_ENV')
  const dataDir = resolve(env.DATA_DIR)
  const databaseUrl = readDatabaseUrl(env, production, refuse)
  if (production && env.PUBLIC_URL) checkPublicUrl(env.PUBLIC_URL, refuse)
  const listedOrigins = readOrigins(env.ALLOWED_ORIGINS, refuse)
  const secrets = readSecrets(env, production, dataDir, refuse)
  if (env.LIMIT_ANONYMOUS_READS !== undefined && env.LIMIT_ANONYMOUS_READS >= env.DATABASE_POOL_SIZE) {
    refuse('LIMIT_ANONYMOUS_READS', 'leaves nothing of DATABASE_POOL_SIZE to those with an account')
  }
  if (env.REDIS_URL && databaseUrl === undefined) refuse('REDIS_URL', 'nodes share a database too: set DATABASE_URL')
  if (problems.length > 0) throw new ConfigError(problems.join('\n'))

  const publicUrl = (env.PUBLIC_URL ?? `http://localhost:${env.PORT}`).replace(/\/+$/, '')
  return {
    warnings: production && !env.PUBLIC_URL ? [`PUBLIC_URL is not set: ${publicUrl} leads to this machine alone`] : [],
    production,
    host: env.HOST ?? (production ? '0.0.0.0' : '127.0.0.1'),
    port: env.PORT,
    publicUrl,
    allowedOrigins: new Set([new URL(publicUrl).origin, ...listedOrigins]),
    databaseUrl,
    redisUrl: env.REDIS_URL,
    redisPrefix: env.REDIS_PREFIX,
    dataDir,
    secrets,
    logLevel: env.LOG_LEVEL,
    trustedProxyHops: env.TRUSTED_PROXY_HOPS,
    drainGraceMs: env.DRAIN_GRACE_MS ?? (production ? 2_000 : 500),
    drainMs: env.DRAIN_SECONDS * 1000,
    heartbeatMs: env.HEARTBEAT_SECONDS * 1000,
    maxRewindMs: env.MAX_REWIND_MS,
    matches: {
      countdownMs: env.MATCH_COUNTDOWN_MS,
      comeBackMs: env.MATCH_COME_BACK_MS,
      emptyMs: env.MATCH_EMPTY_MS,
      maxWaitMs: env.MATCH_MAX_WAIT_MS,
      maxTurnMs: env.MATCH_MAX_TURN_MS,
      maxActive: env.LIMIT_ACTIVE_MATCHES,
    },
    replayDays: env.REPLAY_DAYS,
    limits: {
      frameBytes: env.LIMIT_FRAME_BYTES,
      anonymousFrameBytes: env.LIMIT_ANONYMOUS_FRAME_BYTES,
      jsonDepth: env.LIMIT_JSON_DEPTH,
      requestsInFlight: env.LIMIT_REQUESTS_IN_FLIGHT,
      subscriptions: env.LIMIT_SUBSCRIPTIONS,
      requestsPerSecond: env.LIMIT_REQUESTS_PER_SECOND,
      requestsBurst: env.LIMIT_REQUESTS_BURST,
      inputsPerSecond: env.LIMIT_INPUTS_PER_SECOND,
      bytesPerSecond: env.LIMIT_BYTES_PER_SECOND,
      bytesBurst: env.LIMIT_BYTES_BURST,
      timesPerUser: env.LIMIT_TIMES_PER_USER,
      timesPerIp: env.LIMIT_TIMES_PER_IP,
      socketsPerIp: env.LIMIT_SOCKETS_PER_IP,
      upgradesPerSecond: env.LIMIT_UPGRADES_PER_SECOND,
      upgradesBurst: env.LIMIT_UPGRADES_BURST,
      anonymousReads: env.LIMIT_ANONYMOUS_READS ?? Math.floor(env.DATABASE_POOL_SIZE / 2),
      unsentBytes: env.LIMIT_UNSENT_BYTES,
      latestUnsentBytes: env.LIMIT_LATEST_UNSENT_BYTES,
      streamFramesPerSecond: env.LIMIT_STREAM_FRAMES_PER_SECOND,
      streamBytesPerSecond: env.LIMIT_STREAM_BYTES_PER_SECOND,
      requestMs: env.LIMIT_REQUEST_MS,
      anonymousIdleMs: env.LIMIT_ANONYMOUS_IDLE_MS,
    },
    maxConnections: env.LIMIT_CONNECTIONS,
    metricsToken: env.METRICS_TOKEN,
    authPerIp: env.LIMIT_AUTH_PER_IP,
    wrongCodesPerHour: env.LIMIT_WRONG_CODES_PER_HOUR,
    database: {
      poolSize: env.DATABASE_POOL_SIZE,
      connectTimeoutMs: env.DATABASE_CONNECT_TIMEOUT_MS,
      statementTimeoutMs: env.DATABASE_STATEMENT_TIMEOUT_MS,
      transactionTimeoutMs: env.DATABASE_TRANSACTION_TIMEOUT_MS,
    },
  }
}

/** What is malformed is read as if it were not set, so that the rest can be looked at. */
function parse(environment: Variables, problems: string[]): { env: Env; malformed: ReadonlySet<string> } {
  const given = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '')
  const parsed = Environment.safeParse(Object.fromEntries(given))
  if (parsed.success) return { env: parsed.data, malformed: new Set() }
  const issues = parsed.error.issues.map(({ path, message }) => ({ name: path.join('.'), message }))
  problems.push(...issues.map(({ name, message }) => `${name}: ${message}`))
  const malformed = new Set(issues.map(({ name }) => name))
  const rest = given.filter(([name]) => !malformed.has(name))
  return { env: Environment.parse(Object.fromEntries(rest)), malformed }
}

/** Hosts of which browsers keep Secure cookies without https: they are the browser's own machine. */
const OWN_MACHINE: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

function checkPublicUrl(written: string, refuse: Refuse): void {
  if (/^https:/i.test(written) || OWN_MACHINE.includes(new URL(written).hostname)) return
  const why = 'browsers keep the session cookie (__Host-rally, which is Secure) of https alone'
  refuse('PUBLIC_URL', `is not https, so nobody could sign in: ${why}`)
}

/** Only of http(s): the origin of any other URL is the text `null`, which sandboxed frames of foreign pages send too. */
function readOrigins(text: string, refuse: Refuse): string[] {
  return text.split(',').flatMap((part) => {
    const written = part.trim()
    if (written === '') return []
    if (/^https?:\/\//i.test(written) && URL.canParse(written)) return [new URL(written).origin]
    refuse('ALLOWED_ORIGINS', `"${written}" is no origin like https://game.example.com`)
    return []
  })
}

/** Half of the credentials is a mistake, and no reason to start another database instead. */
function readDatabaseUrl(env: Env, production: boolean, refuse: Refuse): string | undefined {
  const { DATABASE_URL, POSTGRES_USER: user, POSTGRES_PASSWORD: password } = env
  if (DATABASE_URL !== undefined) return DATABASE_URL
  if (user !== undefined && password !== undefined) {
    const credentials = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`
    return `postgresql://${credentials}@${env.POSTGRES_HOST}:${env.POSTGRES_PORT}/${env.POSTGRES_DB ?? user}`
  }
  if (user !== undefined) refuse('POSTGRES_PASSWORD', 'is not set, but POSTGRES_USER is')
  else if (password !== undefined) refuse('POSTGRES_USER', 'is not set, but POSTGRES_PASSWORD is')
  else if (production) refuse('DATABASE_URL', 'is not set; production needs a Postgres of its own')
  return undefined
}

function readSecrets(env: Env, production: boolean, dataDir: string, refuse: Refuse): Config['secrets'] {
  const kept = production ? {} : keptSecrets(dataDir)
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
function keptSecrets(dataDir: string): Kept {
  const file = join(dataDir, 'secrets.json')
  if (existsSync(file)) return readKept(file)
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
    return readKept(file)
  } finally {
    rmSync(draft)
  }
}

function readKept(file: string): Kept {
  try {
    return Kept.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    throw new ConfigError(`DATA_DIR: ${file} does not hold the secrets that were kept there; restore it, or remove it`)
  }
}
