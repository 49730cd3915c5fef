import { STATUS_CODES } from 'node:http'

/** The HTTP status of each code of the protocol. */
const statuses: Readonly<Record<string, number>> = {
  BAD_ENVELOPE: 400,
  VALIDATION_FAILED: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  UNKNOWN_TYPE: 404,
  CONFLICT: 409,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  TIMEOUT: 504,
  // Of modules. Those that are not here say that the state of something does not allow it.
  BANNED: 403,
  NOT_SEATED: 403,
  INVALID_CODE: 403,
  INVALID_PASSKEY: 403,
  VALUE_TOO_LARGE: 413,
}

/** The HTTP status of an error: 409 for the codes of modules that have no other. */
export function statusOf(code: string): number {
  return statuses[code] ?? 409
}

/** `404 Not Found`. */
export function statusLine(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? ''}`.trim()
}
