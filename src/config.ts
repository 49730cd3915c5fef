import { resolve } from 'node:path'
import { ConfigError, Environment, type Variables } from './environment.ts'
import { readLimits } from './limits-settings.ts'
import { type MatchesSettings, readMatches, readTournaments, type TournamentsSettings } from './matches-settings.ts'
import type { Limits } from './protocol/index.ts'
import { type IceSettings, type RoomsSettings, readIce, readRooms } from './rooms-settings.ts'
import { type EncryptionKey, readSecrets, type Secrets } from './secrets.ts'
import { pairsOf, readTracing, type TracingSettings } from './tracing-settings.ts'

/** The configuration of a server. Times are in milliseconds, sizes in bytes. */
export interface Config {
  /** Settings that are allowed but probably a mistake. */
  readonly warnings: readonly string[]
  readonly production: boolean
  /** The version that clients and metrics are shown. Unset: the package's. */
  readonly version: string | undefined
  readonly host: string
  readonly port: number
  /** Where browsers reach this server, without a slash at the end. */
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
  /** Lines for programs, or for people. */
  readonly logFormat: 'json' | 'text'
  /** Where traces are exported, and which. Unset: there are none. */
  readonly tracing: TracingSettings | undefined
  /** How many proxies in front of Rally add trusted entries to `X-Forwarded-For`. */
  readonly trustedProxyHops: number
  /** Where their connections come from: addresses and CIDR blocks. The header of anybody else is ignored. */
  readonly trustedProxies: readonly string[]
  /** From the stop signal until sockets are closed, so that load balancers see that this node is not ready. */
  readonly drainGraceMs: number
  /** After that, how long live matches and requests under way may take. */
  readonly drainMs: number
  readonly heartbeatMs: number
  /** How far back a player's input may take effect; 0 turns rewinding off. */
  readonly maxRewindMs: number
  readonly matches: MatchesSettings
  readonly tournaments: TournamentsSettings
  /** For how many days the inputs of finished matches are kept. */
  readonly replayDays: number
  readonly rooms: RoomsSettings
  readonly ice: IceSettings
  readonly limits: Limits
  /** TCP connections of all kinds at once. */
  readonly maxConnections: number
  /** The port of `/metrics`, `/healthz` and `/readyz` for monitoring. Unset: there is none. */
  readonly adminPort: number | undefined
  readonly adminHost: string
  /** The token that `/metrics` of the main port asks for. Unset: there are no metrics at that port. */
  readonly metricsToken: string | undefined
  /** What signing in takes besides the authenticator's code. */
  readonly secondFactor: 'none' | 'passkey'
  /** Sign-in attempts from one address in five minutes. */
  readonly authPerIp: number
  /** Wrong codes an hour in the whole installation, from browsers that the user has not signed in with before. */
  readonly wrongCodesPerHour: number
  readonly database: {
    readonly poolSize: number
    readonly connectTimeoutMs: number
    readonly statementTimeoutMs: number
    readonly transactionTimeoutMs: number
  }
}

/** For counts whose highest value does not matter. */
const MANY = 10_000_000

/** Networks that nobody on the internet has an address in (RFC 1918, RFC 4193), and this machine. */
const PRIVATE_ADDRESSES = '127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1,fc00::/7'

/** Settings of Config as an application gives them: secrets as text as in the environment, origins in an array. */
export type ConfigInput = Given<Omit<Config, 'warnings'>>
type Given<T> = T extends Uint8Array | readonly EncryptionKey[]
  ? string
  : T extends ReadonlySet<string>
    ? readonly string[]
    : T extends object
      ? { readonly [Key in keyof T]?: Given<T[Key]> | undefined }
      : T

/** The variables whose names do not follow from their place in Config, as `MATCH_EMPTY_MS` follows from `matches.emptyMs`. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  production: 'NODE_ENV',
  version: 'RALLY_VERSION',
  drainMs: 'DRAIN_SECONDS',
  heartbeatMs: 'HEARTBEAT_SECONDS',
  maxConnections: 'LIMIT_CONNECTIONS',
  authPerIp: 'LIMIT_AUTH_PER_IP',
  wrongCodesPerHour: 'LIMIT_WRONG_CODES_PER_HOUR',
  'matches.maxActive': 'LIMIT_ACTIVE_MATCHES',
  'rooms.maxActive': 'LIMIT_ACTIVE_ROOMS',
  'ice.stunUrls': 'STUN_URLS',
  'ice.turnUrls': 'TURN_URLS',
  'ice.turnSecret': 'TURN_SECRET',
  'tournaments.noShowMs': 'TOURNAMENT_NO_SHOW_MS',
  'tournaments.countdownMs': 'TOURNAMENT_COUNTDOWN_MS',
  'tournaments.maxActive': 'LIMIT_ACTIVE_TOURNAMENTS',
  'tracing.endpoint': 'OTEL_EXPORTER_OTLP_ENDPOINT',
  'tracing.headers': 'OTEL_EXPORTER_OTLP_HEADERS',
  'tracing.sampler': 'OTEL_TRACES_SAMPLER',
  'tracing.samplerRatio': 'OTEL_TRACES_SAMPLER_ARG',
  'tracing.serviceName': 'OTEL_SERVICE_NAME',
  'tracing.resourceAttributes': 'OTEL_RESOURCE_ATTRIBUTES',
  'secrets.ticket': 'JWT_SECRET',
  'secrets.cookie': 'COOKIE_SECRET',
  'secrets.encryption': 'ENCRYPTION_KEY',
}

/** Objects that are one variable. */
const PAIRS: ReadonlySet<string> = new Set(['tracing.headers', 'tracing.resourceAttributes'])

function nameOf(path: string): string {
  const name = path
    .replace('matches.', 'match.')
    .replace('rooms.', 'room.')
    .replace('limits.', 'limit.')
    .replaceAll(/[A-Z]/g, '_$&')
  return OTHER_NAMES[path] ?? name.replace('.', '_').toUpperCase()
}

/** The given settings as variables, so that both are checked alike; with each its path in Config. */
function toVariables(input: object, group = ''): { name: string; value: string; path: string }[] {
  return Object.entries(input).flatMap(([key, value]) => {
    const path = `${group}${key}`
    if (value === undefined) return []
    if (PAIRS.has(path)) return { name: nameOf(path), value: pairsOf(value), path }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return toVariables(value, `${path}.`)
    const name = nameOf(path)
    if (path === 'production') return { name, value: value === true ? 'production' : 'development', path }
    return { name, value: String(name.endsWith('_SECONDS') ? value / 1_000 : value), path }
  })
}

/** In the working directory. */
export const DEFAULT_DATA_DIR = '.data'

/**
 * Reads the environment, and `given` before it. In development missing secrets are made once and kept in `<DATA_DIR>/secrets.json`.
 *
 * @throws ConfigError naming every variable that is missing, weak or malformed
 */
export function readConfig(variables: Variables, given: ConfigInput = {}): Config {
  const settings = toVariables(given)
  const values = new Map(settings.map(({ name, value }) => [name, value]))
  const env = new Environment((name) => values.get(name) ?? variables[name])
  const kind = env.oneOf('NODE_ENV', 'development', ['development', 'production', 'test'])
  // A misspelt kind is checked as production: in development Rally would make secrets and a database of its own.
  const production = kind === 'production' || env.isRefused('NODE_ENV')
  const dataDir = resolve(env.text('DATA_DIR') ?? DEFAULT_DATA_DIR)
  const port = env.int('PORT', 3001, 0, 65_535)
  const poolSize = env.int('DATABASE_POOL_SIZE', 10, 2, 200)
  const givenUrl = readPublicUrl(env, production)
  const publicUrl = (givenUrl ?? `http://localhost:${port}`).replace(/\/+$/, '')
  const databaseUrl = readDatabaseUrl(env, production)
  const config: Config = {
    warnings: production && !givenUrl ? [`PUBLIC_URL is not set: ${publicUrl} leads to this machine alone`] : [],
    production,
    version: readVersion(env),
    host: env.text('HOST') ?? (production ? '0.0.0.0' : '127.0.0.1'),
    port,
    publicUrl,
    allowedOrigins: new Set([new URL(publicUrl).origin, ...readOrigins(env)]),
    databaseUrl,
    redisUrl: readRedisUrl(env, databaseUrl),
    redisPrefix: env.text('REDIS_PREFIX') ?? 'rally',
    dataDir,
    secrets: readSecrets(env, production ? undefined : dataDir),
    logLevel: env.oneOf('LOG_LEVEL', 'info', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    logFormat: env.oneOf('LOG_FORMAT', kind === 'development' && !production ? 'text' : 'json', ['json', 'text']),
    tracing: readTracing(env),
    trustedProxyHops: env.int('TRUSTED_PROXY_HOPS', 0, 0, 10),
    trustedProxies: env.addresses('TRUSTED_PROXIES', PRIVATE_ADDRESSES),
    drainGraceMs: env.int('DRAIN_GRACE_MS', production ? 2_000 : 500, 0, 60_000),
    drainMs: env.seconds('DRAIN_SECONDS', 30, 0, 600),
    heartbeatMs: env.seconds('HEARTBEAT_SECONDS', 15, 1, 120),
    maxRewindMs: env.int('MAX_REWIND_MS', 100, 0, 1_000),
    matches: readMatches(env),
    tournaments: readTournaments(env),
    replayDays: env.int('REPLAY_DAYS', 90, 1, 36_500),
    rooms: readRooms(env),
    ice: readIce(env),
    limits: readLimits(env, poolSize),
    maxConnections: env.int('LIMIT_CONNECTIONS', 20_000, 16, MANY),
    adminPort: env.int('ADMIN_PORT', undefined, 0, 65_535),
    adminHost: env.text('ADMIN_HOST') ?? '127.0.0.1',
    metricsToken: readMetricsToken(env),
    secondFactor: readSecondFactor(env, publicUrl),
    authPerIp: env.int('LIMIT_AUTH_PER_IP', 100, 1, MANY),
    wrongCodesPerHour: env.int('LIMIT_WRONG_CODES_PER_HOUR', 200, 1, MANY),
    database: {
      poolSize,
      connectTimeoutMs: env.int('DATABASE_CONNECT_TIMEOUT_MS', 2_000, 100, 60_000),
      statementTimeoutMs: env.int('DATABASE_STATEMENT_TIMEOUT_MS', 5_000, 100, 600_000),
      transactionTimeoutMs: env.int('DATABASE_TRANSACTION_TIMEOUT_MS', 8_000, 100, 600_000),
    },
  }
  const unknown = settings.filter(({ name }) => !env.known.has(name))
  env.problems.push(...unknown.map(({ path }) => `config.${path}: there is no such setting`))
  if (env.problems.length > 0) throw new ConfigError(env.problems.join('\n'))
  return config
}

/** Also the tag of an image, so it has the same characters. */
function readVersion(env: Environment): string | undefined {
  const version = env.text('RALLY_VERSION')
  if (version === undefined || /^\w[\w.-]{0,127}$/.test(version)) return version
  env.refuse('RALLY_VERSION', `"${version}" is no version like 1.2.3`)
  return undefined
}

/** Hosts for which browsers keep Secure cookies without https: they are the browser's own machine. */
const OWN_MACHINE: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

function readPublicUrl(env: Environment, production: boolean): string | undefined {
  const url = env.url('PUBLIC_URL', /^https?:$/, 'https://rally.example.com')
  if (!url || !production || /^https:/i.test(url) || OWN_MACHINE.includes(new URL(url).hostname)) return url
  const why = 'browsers keep the session cookie (__Host-rally, which is Secure) of https alone'
  env.refuse('PUBLIC_URL', `is not https, so nobody could sign in: ${why}`)
  return url
}

/** A browser makes passkeys for a name, not for an address, and only on https or on its own machine (WebAuthn, 5.1.2). */
function readSecondFactor(env: Environment, publicUrl: string): Config['secondFactor'] {
  const factor = env.oneOf('SECOND_FACTOR', 'none', ['none', 'passkey'])
  const { protocol, hostname } = new URL(publicUrl)
  const isName = !/^\[|^[\d.]+$/.test(hostname)
  const isSecure = protocol === 'https:' || /(^|\.)localhost$/.test(hostname)
  if (factor === 'passkey' && !(isName && isSecure)) {
    env.refuse('SECOND_FACTOR', 'browsers have passkeys only for https and a name, or http://localhost: see PUBLIC_URL')
  }
  return factor
}

/** Only http and https: the origin of any other URL is the text `null`, which sandboxed frames of foreign pages send too. */
function readOrigins(env: Environment): string[] {
  return (env.text('ALLOWED_ORIGINS') ?? '').split(',').flatMap((part) => {
    const written = part.trim()
    if (written === '') return []
    if (/^https?:\/\//i.test(written) && URL.canParse(written)) return [new URL(written).origin]
    env.refuse('ALLOWED_ORIGINS', `"${written}" is no origin like https://game.example.com`)
    return []
  })
}

/** A user without a password, or a password without a user, is a mistake: Rally does not start another database then. */
function readDatabaseUrl(env: Environment, production: boolean): string | undefined {
  const url = env.url('DATABASE_URL', /^postgres(ql)?:$/, 'postgresql://user:password@host:5432/database')
  const [user, password, name] = [env.text('POSTGRES_USER'), env.text('POSTGRES_PASSWORD'), env.text('POSTGRES_DB')]
  const host = `${env.text('POSTGRES_HOST') ?? '127.0.0.1'}:${env.int('POSTGRES_PORT', 5432, 1, 65_535)}`
  if (url !== undefined || env.isRefused('DATABASE_URL')) return url
  if (user !== undefined && password !== undefined) {
    return `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}/${name ?? user}`
  }
  if (user !== undefined) env.refuse('POSTGRES_PASSWORD', 'is not set, but POSTGRES_USER is')
  else if (password !== undefined) env.refuse('POSTGRES_USER', 'is not set, but POSTGRES_PASSWORD is')
  else if (production) env.refuse('DATABASE_URL', 'is not set; production needs a Postgres of its own')
  return undefined
}

function readRedisUrl(env: Environment, databaseUrl: string | undefined): string | undefined {
  const url = env.url('REDIS_URL', /^rediss?:$/, 'redis://host:6379')
  if (url && databaseUrl === undefined) env.refuse('REDIS_URL', 'nodes share a database too: set DATABASE_URL')
  return url
}

function readMetricsToken(env: Environment): string | undefined {
  const token = env.text('METRICS_TOKEN')
  if (token !== undefined && token.length < 16) env.refuse('METRICS_TOKEN', 'has fewer than 16 characters')
  return token
}
