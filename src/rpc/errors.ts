import type { z } from 'zod'
import type { ErrorData, Issue } from '../protocol/index.ts'

/** Bytes of JSON. The envelope adds up to 520: an `eid` may be 64 characters that are all escaped. */
const MAX_MESSAGE = 400
const MAX_ISSUES_TOTAL = 1000
const MAX_ISSUE_TEXT = 160
const MAX_ISSUES = 10

/** The one class that handlers and domain code throw. Anything else becomes `INTERNAL`. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: string
  readonly issues: readonly Issue[] | undefined
  readonly retryAfterMs: number | undefined

  constructor(
    code: string,
    message?: string,
    details: { issues?: readonly Issue[] | undefined; retryAfterMs?: number | undefined } = {},
  ) {
    super(message ?? code)
    this.code = code
    this.issues = details.issues
    this.retryAfterMs = details.retryAfterMs
  }
}

/** The `data` of an error answer: at most ten issues, and small enough that the answer fits into 2 KiB. */
export function errorData(error: RpcError): ErrorData {
  const { message, issues, retryAfterMs } = error
  return {
    message: clip(message, MAX_MESSAGE),
    ...(issues && { issues: fitting(issues) }),
    ...(retryAfterMs !== undefined && { retryAfterMs: Math.max(0, Math.ceil(retryAfterMs)) }),
  }
}

/** As many of the first issues as fit. */
function fitting(issues: readonly Issue[]): Issue[] {
  const taken: Issue[] = []
  let bytes = 0
  for (const { path, message } of issues.slice(0, MAX_ISSUES)) {
    const issue = { path: clip(path, MAX_ISSUE_TEXT), message: clip(message, MAX_ISSUE_TEXT) }
    bytes += jsonBytes(issue) + 1
    if (bytes > MAX_ISSUES_TOTAL) break
    taken.push(issue)
  }
  return taken
}

/** The beginning of `text` that takes about `maxBytes` of JSON at most. */
function clip(text: string, maxBytes: number): string {
  let cut = text.slice(0, maxBytes)
  while (jsonBytes(cut) > maxBytes) cut = cut.slice(0, Math.floor(cut.length * 0.9))
  return cut.length === text.length ? text : `${cut.toWellFormed()}…`
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}

export function invalid(issues: readonly Issue[], message = 'The data is not valid'): RpcError {
  return new RpcError('VALIDATION_FAILED', message, { issues })
}

/** An error of zod or of a game's schema. */
interface Invalid {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
}

/** The first issues: a hostile input may have thousands. `under` is the field that the schema describes, if it is one. */
export function toIssues({ issues }: Invalid, under?: string): Issue[] {
  return issues.slice(0, MAX_ISSUES).map(({ path, message }) => {
    const fields = path.map(String)
    return { path: (under === undefined ? fields : [under, ...fields]).join('.'), message }
  })
}

/**
 * The issues of `value` as an output of `schema`. A key that the schema does not name is an issue, too: it may hold
 * something that the client must not see. Of a union the first member that fits is compared, so a member that is part of
 * another has to come after it.
 */
export function faultsOf(schema: z.ZodType, value: unknown): Issue[] {
  const parsed = schema.safeParse(value)
  if (!parsed.success) return toIssues(parsed.error)
  return unnamedKeys(value, parsed.data, []).map((path) => ({ path, message: 'is not in the schema' }))
}

/** Paths that are in `value` and not in `named`, the parsed value. */
function unnamedKeys(value: unknown, named: unknown, path: readonly string[]): string[] {
  if (value === named || !isObject(value) || !isObject(named)) return []
  return Object.keys(value).flatMap((key) => {
    // JSON leaves it out.
    if (value[key] === undefined) return []
    return Object.hasOwn(named, key) ? unnamedKeys(value[key], named[key], [...path, key]) : [[...path, key].join('.')]
  })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
