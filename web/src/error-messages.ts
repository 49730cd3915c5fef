import { RallyError } from '../../src/client/index.ts'

/** What each code means to a person. Codes that are the page's own mistake share the last sentence. */
const sentences: Readonly<Record<string, string>> = {
  INVALID_CODE: 'That code is not right. Codes change every 30 seconds: try the one your app shows now.',
  NO_CHALLENGE: 'That took too long. Start again with your username.',
  USERNAME_TAKEN: 'Somebody took that name in the meantime. Choose another one.',
  UNAUTHENTICATED: 'You are signed out. Sign in again to go on.',
  FORBIDDEN: 'That is not yours to do.',
  NOT_FOUND: 'There is no such thing here, or not any more.',
  CONFLICT: 'Somebody was faster. Have another look and try again.',
  MATCH_FULL: 'That match is full: both seats are taken.',
  MATCH_CLOSED: 'That match is over, or it no longer takes players.',
  NOT_LIVE: 'That match is not being played.',
  NOT_SEATED: 'You have no seat in that match.',
  RATE_LIMITED: 'That was too often.',
  TIMEOUT: 'No answer came in time. Have a look whether it was done, and try again if not.',
  UNAVAILABLE: 'The server cannot do that right now. Try again in a moment.',
  INTERNAL: 'Something broke on the server. It has been written down; try again in a moment.',
  TOO_MANY_MATCHES: 'You have too many matches open. Finish or leave one first.',
  CLOSED: 'There is no connection to the server. Reload the page to try again.',
  OFFLINE: 'There is no connection to the server just now, so nothing was done. Try again once it is back.',
  USER_CHANGED: 'Somebody else signed in here in the meantime. Try again.',
  SESSION_NOT_KEPT: 'You were signed in, but the browser did not keep it. Allow cookies for this page and try again.',
  STREAM_CLOSED: 'The server stopped telling us about this. Reload the page.',
}

const UNKNOWN = 'That did not work. Try again, and reload the page if it keeps happening.'

/** An error in words, without its code. `here` has better words for codes that mean something else in this place. */
export function describeError(error: unknown, here: Readonly<Record<string, string>> = {}): string {
  if (!(error instanceof RallyError)) return UNKNOWN
  const own = here[error.code]
  if (own) return own
  if (error.code === 'VALIDATION_FAILED') {
    const issue = error.issues[0]
    return issue ? `Please check what you entered: ${issue.message}.` : 'Please check what you entered.'
  }
  return sentences[error.code] ?? UNKNOWN
}

export function errorCode(error: unknown): string | null {
  return error instanceof RallyError ? error.code : null
}

/** How long to wait before the same may be tried again, in ms; null if that is not the trouble. */
export function retryAfterMs(error: unknown): number | null {
  return error instanceof RallyError ? (error.retryAfterMs ?? null) : null
}
