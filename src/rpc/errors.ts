import type { ErrorData, Issue } from '../protocol/index.ts'

/** Longest error answer in characters, its envelope included. */
const MAX_MESSAGE = 200
const MAX_ISSUES = 10
const MAX_ISSUE_TEXT = 80

/** The one class that handlers and domain code throw. Anything else becomes `INTERNAL`. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: string
  readonly issues: readonly Issue[] | undefined
  readonly retryAfterMs: number | undefined

  constructor(code: string, message?: string, details: { issues?: readonly Issue[]; retryAfterMs?: number } = {}) {
    super(message ?? code)
    this.code = code
    this.issues = details.issues
    this.retryAfterMs = details.retryAfterMs
  }
}

/** The `data` of an error answer: at most ten issues and well under 2 KiB, whatever the error holds. */
export function errorData(error: RpcError): ErrorData {
  const data: { message: string; issues?: Issue[]; retryAfterMs?: number } = {
    message: clip(error.message, MAX_MESSAGE),
  }
  if (error.issues) {
    data.issues = error.issues.slice(0, MAX_ISSUES).map((issue) => ({
      path: clip(issue.path, MAX_ISSUE_TEXT),
      message: clip(issue.message, MAX_ISSUE_TEXT),
    }))
  }
  if (error.retryAfterMs !== undefined) data.retryAfterMs = Math.max(0, Math.ceil(error.retryAfterMs))
  return data
}

/** Cuts `text` to `max` characters; never through the middle of a surrogate pair. */
function clip(text: string, max: number): string {
  return text.length <= max
    ? text
    : `${text
        .slice(0, max - 1)
        .toWellFormed()
        .replace(/\uFFFD$/, '')}…`
}
