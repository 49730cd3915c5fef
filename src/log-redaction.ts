/** What stands in a log line for a value that must not. */
export const REDACTED = '[redacted]'

/** Names of secrets, of what proves who somebody is, and of what a user wrote. Compared without case, `-` and `_`. */
const SECRET_ENDINGS =
  /(token|ticket|secret|password|cookie|authorization|apikey|code|codes|challenge|signature|qrcode|otpauthurl|username|displayname)$/
const SECRET_NAMES: ReadonlySet<string> = new Set(['headers', 'data', 'input', 'body', 'payload', 'text', 'bio', 'jwt'])

const MAX_DEPTH = 6
const MAX_ENTRIES = 50
const MAX_TEXT = 2_000
const MAX_FRAMES = 20

/**
 * The fields of a log line without secrets, at any depth: values under a secret name are replaced, and errors are reduced to
 * what says where and why they happened. Numbers stay under any name, as exit codes do: no secret of Rally is a number.
 */
export function redactFields(fields: object): Record<string, unknown> {
  return redactObject(fields, 0)
}

/** Replaces secrets that have a form of their own: passwords in URLs, JWTs and tokens. A line of JSON stays one. */
export function redactText(text: string): string {
  return text
    .replace(/\/\/[^\s/?#"]*@/g, `//${REDACTED}@`)
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, REDACTED)
    .replace(/rally_[\w-]{43}(?![\w-])/g, REDACTED)
}

function shorten(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}... (${text.length} characters)` : text
}

function redactObject(value: object, depth: number): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const [name, each] of Object.entries(value).slice(0, MAX_ENTRIES)) {
    found[name] = isSecret(name) && typeof each !== 'number' ? REDACTED : redactValue(each, depth + 1)
  }
  return found
}

function isSecret(name: string): boolean {
  const plain = name.replaceAll(/[-_]/g, '').toLowerCase()
  return SECRET_NAMES.has(plain) || SECRET_ENDINGS.test(plain)
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return shorten(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return describeError(value, depth)
  if (value instanceof Date) return value
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
  if (value instanceof Map || value instanceof Set) return `${value.size} entries`
  if (depth > MAX_DEPTH) return '...'
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((each) => redactValue(each, depth + 1))
  return redactObject(value, depth)
}

/** Properties of errors that name parts of the system or of the schema, and hold no value of a user. */
const ERROR_FIELDS = [
  ...['code', 'errno', 'syscall', 'address', 'port', 'signal'],
  ...['severity', 'schema', 'table', 'column', 'constraint', 'kind', 'originalCode'],
]

/**
 * What is logged of an error. Its other properties are left out: the `detail` of an error of Postgres is
 * `Key (username)=(ada) already exists`, and the `input` of Node's invalid URL is the URL with its password.
 */
function describeError(error: Error, depth: number): Record<string, unknown> {
  const found: Record<string, unknown> = { type: error.name, message: shorten(messageOf(error)) }
  Object.assign(found, knownFields(error))
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  if (frames.length > 0) found.stack = frames.slice(0, MAX_FRAMES).join('\n')
  if (depth > MAX_DEPTH) return found
  const { cause } = error
  if (cause instanceof Error) found.cause = describeError(cause, depth + 1)
  else if (typeof cause === 'object' && cause !== null) found.cause = knownFields(cause)
  if (error instanceof AggregateError) {
    found.errors = error.errors.slice(0, MAX_ENTRIES).map((each) => redactValue(each, depth + 1))
  }
  return found
}

function knownFields(error: object): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const name of ERROR_FIELDS) {
    const value: unknown = Reflect.get(error, name)
    if (typeof value === 'string' || typeof value === 'number') found[name] = value
  }
  return found
}

/**
 * Classes of SQLSTATE whose messages quote names of the schema and never a value: connections, transactions, constraints,
 * privileges, syntax, resources, and operators. Class 22 is different: `invalid input syntax for type uuid: "..."`.
 */
const QUOTES_NAMES_ONLY = /^(08|23|25|28|3D|3F|40|42|53|55|57|58)[0-9A-Z]{3}$/

/** The message of an error. Where a library quotes the values that it was given, they are left out. */
function messageOf(error: Error): string {
  const { name, message } = error
  const issues: unknown = Reflect.get(error, 'issues')
  if (/ZodError$/.test(name) && Array.isArray(issues)) {
    return issues.slice(0, MAX_ENTRIES).map(describeIssue).join('; ')
  }
  const code: unknown = Reflect.get(error, 'code')
  const isOfPostgres = typeof code === 'string' && 'severity' in error
  const quotesValues =
    error instanceof SyntaxError || /Prisma|DriverAdapter/.test(name) || (isOfPostgres && !QUOTES_NAMES_ONLY.test(code))
  if (quotesValues) return message.replace(/["'`].*["'`]/s, REDACTED)
  // Quoted text that is long and has no spaces, as challenges of passkeys are.
  return isOfPostgres ? message : message.replace(/"[\w+/=.-]{20,}"/g, REDACTED)
}

/** `user.name: too_small`. The path and the kind of the problem, without what was received. */
function describeIssue(issue: unknown): string {
  if (typeof issue !== 'object' || issue === null) return ''
  const path: unknown = Reflect.get(issue, 'path')
  return `${Array.isArray(path) ? path.join('.') : ''}: ${String(Reflect.get(issue, 'code'))}`
}
