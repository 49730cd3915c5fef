import { RallyError } from '../../src/client/index.ts'

/** For what the server allows only in a session younger than ten minutes. */
export const NOT_FRESH_WORDS = {
  FORBIDDEN: 'This can be done only shortly after signing in. Sign out, sign in again, and come back here.',
}

/** What each code means to a person. Other codes are mistakes of the page, and have one message for all. */
const sentences: Readonly<Record<string, string>> = {
  INVALID_CODE: 'That code is not right. Codes change every 30 seconds: try the one your app shows now.',
  NO_CHALLENGE: 'That took too long. Start again with your username.',
  INVALID_PASSKEY: 'The server did not accept that passkey. Start again with the next code.',
  PASSKEY_CANCELLED: 'No passkey was used: the dialog was closed, or took too long. Try again when you are ready.',
  PASSKEY_KNOWN: 'That device or key has a passkey of yours already. Use another one.',
  PASSKEY_UNSUPPORTED: 'This browser has no passkeys. Use a current Chrome, Edge, Firefox or Safari.',
  PASSKEY_FAILED: 'The browser gave no passkey. Try another device or key.',
  TOO_MANY_PASSKEYS: 'You have ten passkeys. Remove one first.',
  TOO_MANY_TOKENS: 'You have fifty tokens. Revoke one first.',
  LAST_PASSKEY: 'This is your last passkey. Add another one before you remove it.',
  USERNAME_TAKEN: 'Somebody else took that name. Choose another one.',
  UNAUTHENTICATED: 'You are signed out. Sign in again.',
  FORBIDDEN: 'You may not do that.',
  NOT_FOUND: 'This does not exist, or no longer exists.',
  VERSION_CHANGED: 'Somebody else changed this at the same time. Look again, then try again.',
  MATCH_FULL: 'That match is full: both seats are taken.',
  MATCH_CLOSED: 'That match is over, or it no longer takes players.',
  NOT_LIVE: 'That match is not being played.',
  NOT_SEATED: 'You have no seat in that match.',
  RATE_LIMITED: 'You tried that too often.',
  TIMEOUT: 'No answer came in time. Check whether it was done, and try again if not.',
  UNAVAILABLE: 'The server cannot do that right now. Try again in a moment.',
  INTERNAL: 'Something went wrong on the server. Try again in a moment.',
  TOURNAMENT_FULL: 'Every place in this tournament is taken.',
  TOURNAMENT_CLOSED: 'This tournament has started or is over.',
  TOO_FEW_PLAYERS: 'There are not enough players yet.',
  TOO_MANY_TOURNAMENTS: 'You are in too many tournaments. One of them has to be over first.',
  NOT_IN_ROOM: 'You are not in that room.',
  ROOM_FULL: 'That room is full.',
  TOO_MANY_ROOMS: 'You are in too many rooms. Leave one first.',
  TOO_MANY_CLAIMS: 'Nothing more can be claimed in that room.',
  ALREADY_SEATED: 'That player is in this match already.',
  INVITE_DECLINED: 'That player has declined.',
  TOO_MANY_INVITES: 'That player has too many open invites.',
  TOO_MANY_MATCHES: 'You have too many matches open. Finish or leave one first.',
  CLOSED: 'There is no connection to the server. Reload the page to try again.',
  OFFLINE: 'There is no connection to the server, so nothing was done. Try again when it is back.',
  USER_CHANGED: 'Another user signed in here. Try again.',
  SESSION_NOT_KEPT: 'You were signed in, but the browser did not keep it. Allow cookies for this page and try again.',
  STREAM_CLOSED: 'The server stopped sending changes of this. Reload the page.',
}

const UNKNOWN = 'That did not work. Try again, and reload the page if it keeps happening.'

/** An error in words, without its code. `here` has better words for codes that mean something else in this place. */
export function describeError(error: unknown, here: Readonly<Record<string, string>> = {}): string {
  if (!(error instanceof RallyError)) return UNKNOWN
  const own = here[error.code]
  if (own) return own
  // The server's own words: they name the reason.
  if (error.code === 'BANNED') return `${error.message}.`
  if (error.code === 'VALIDATION_FAILED') {
    const issue = error.issues[0]
    return issue ? `Please check what you entered: ${issue.message}.` : 'Please check what you entered.'
  }
  return sentences[error.code] ?? UNKNOWN
}

export function errorCode(error: unknown): string | null {
  return error instanceof RallyError ? error.code : null
}

/** How long to wait before the same may be tried again, in ms; null if the error does not say. */
export function retryAfterMs(error: unknown): number | null {
  return error instanceof RallyError ? (error.retryAfterMs ?? null) : null
}
