import { resolve } from 'node:path'
import { z } from 'zod'
import { defaultLimits, type Limits } from './protocol/index.ts'
import { type EncryptionKey, readSecrets, type Secrets } from './secrets.ts'

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
  readonly secrets: Secrets
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

const int = (fallback: number, min: number, max: number) => z.coerce.number().int().min(min).max(max).default(fallback)

const Variables = z.object({
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
  DRAIN_SECONDS: z.coerce.number().min(0).max(600).default(5),
  HEARTBEAT_SECONDS: z.coerce.number().min(1).max(120).default(15),
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
type Env = z.infer<typeof Variables>
type Refuse = (name: keyof Env, why: string) => void

/** Variables by their names, as `process.env` is. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Some of Config as an application gives it: secrets as text as in the environment, origins in an array. */
export type ConfigInput = Given<Omit<Config, 'warnings'>>
type Given<T> = T extends Uint8Array | readonly EncryptionKey[]
  ? string
  : T extends ReadonlySet<string>
    ? readonly string[]
    : T extends object
      ? { readonly [Key in keyof T]?: Given<T[Key]> | undefined }
      : T

/** The variables that have not the name of their place in Config. */
const OTHER_NAMES: Readonly<Record<string, keyof Env>> = {
  production: 'NODE_ENV',
  drainMs: 'DRAIN_SECONDS',
  heartbeatMs: 'HEARTBEAT_SECONDS',
  maxConnections: 'LIMIT_CONNECTIONS',
  authPerIp: 'LIMIT_AUTH_PER_IP',
  wrongCodesPerHour: 'LIMIT_WRONG_CODES_PER_HOUR',
  'matches.maxActive': 'LIMIT_ACTIVE_MATCHES',
  'secrets.ticket': 'JWT_SECRET',
  'secrets.cookie': 'COOKIE_SECRET',
  'secrets.encryption': 'ENCRYPTION_KEY',
}

/** The variable of each value, so that both are checked alike. `matches.emptyMs` is `MATCH_EMPTY_MS`. */
function toVariables(input: object, group = ''): Environment {
  const pairs = Object.entries(input).flatMap(([key, value]): [string, string | undefined][] => {
    const path = group === '' ? key : `${group}.${key}`
    if (value === undefined) return []
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return Object.entries(toVariables(value, path))
    const name =
      OTHER_NAMES[path] ??
      path
        .replace('matches.', 'match.')
        .replace('limits.', 'limit.')
        .replaceAll(/[A-Z]/g, '_$&')
        .replace('.', '_')
        .toUpperCase()
    if (!Object.hasOwn(Variables.shape, name)) throw new ConfigError(`config.${path}: there is no such setting`)
    if (path === 'production') return [[name, value === true ? 'production' : 'development']]
    return [[name, String(name.endsWith('_SECONDS') ? value / 1000 : value)]]
  })
  return Object.fromEntries(pairs)
}

/**
 * Reads the environment, and `given` before it. In development missing secrets are made once and kept in
 * `<DATA_DIR>/secrets.json`.
 *
 * @throws ConfigError naming every variable that is missing, weak or malformed.
 */
export function readConfig(environment: Environment, given: ConfigInput = {}): Config {
  const problems: string[] = []
  const { env, malformed } = parse({ ...environment, ...toVariables(given) }, problems)
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
    drainMs: Math.round(env.DRAIN_SECONDS * 1000),
    heartbeatMs: Math.round(env.HEARTBEAT_SECONDS * 1000),
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
function parse(environment: Environment, problems: string[]): { env: Env; malformed: ReadonlySet<string> } {
  const given = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '')
  const parsed = Variables.safeParse(Object.fromEntries(given))
  if (parsed.success) return { env: parsed.data, malformed: new Set() }
  const issues = parsed.error.issues.map(({ path, message }) => ({ name: path.join('.'), message }))
  problems.push(...issues.map(({ name, message }) => `${name}: ${message}`))
  const malformed = new Set(issues.map(({ name }) => name))
  const rest = given.filter(([name]) => !malformed.has(name))
  return { env: Variables.parse(Object.fromEntries(rest)), malformed }
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
