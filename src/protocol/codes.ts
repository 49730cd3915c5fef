/** Codes that any request may fail with, whatever its definition declares. */
export const frameworkCodes = [
  'BAD_ENVELOPE',
  'UNKNOWN_TYPE',
  'VALIDATION_FAILED',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'CONFLICT',
  'RATE_LIMITED',
  'TIMEOUT',
  'UNAVAILABLE',
  'INTERNAL',
] as const

export type FrameworkCode = (typeof frameworkCodes)[number]

/** Marks the end of a stream, sent by the server as the `error` of its last frame. */
export const STREAM_CLOSED = 'STREAM_CLOSED'

/** Codes that may succeed when the same request is sent again later. */
export const temporaryCodes: ReadonlySet<string> = new Set(['RATE_LIMITED', 'TIMEOUT', 'UNAVAILABLE'])

/**
 * Close codes of the socket. 4000 to 4499: come back; 4500 to 4999: stay away until something changes. A client does not
 * rely on receiving one: a cut socket (1006) means come back.
 */
export const closeCodes = {
  nodeLeaving: 4000,
  /** What the user may do has changed. */
  roleChanged: 4001,
  tooSlow: 4008,
  noSignOfLife: 4009,
  tooFast: 4029,
  notOurProtocol: 4500,
  sessionEnded: 4501,
  banned: 4503,
  /** Connect again when there is something to ask. */
  idle: 4504,
} as const

export type CloseCode = (typeof closeCodes)[keyof typeof closeCodes]

/** RFC 6455, 5.5: a control frame has 125 bytes, two of which are the code. */
const MAX_REASON_BYTES = 123

/** Cuts a text to what fits into a close frame. */
export function closeReason(text: string): string {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length <= MAX_REASON_BYTES) return text
  // `stream` leaves out a character that was cut.
  return `${new TextDecoder().decode(bytes.subarray(0, MAX_REASON_BYTES - 3), { stream: true })}…`
}

/** Whether a client that was closed with `code` should connect again by itself. */
export function shouldReconnect(code: number): boolean {
  return code < 4500 || code > 4999
}
