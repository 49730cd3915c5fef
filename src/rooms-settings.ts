import type { Environment } from './environment.ts'

/** What rooms keep, for how long, and how browsers in a call find each other. Times are in milliseconds. */
export interface RoomsSettings {
  /** How long a member without a socket keeps the place. */
  readonly comeBackMs: number
  /** A room closes when nobody has been in it for so long. */
  readonly emptyMs: number
  /** Rooms that one user may be in at once, and as many chats of matches. */
  readonly maxActive: number
  /** Messages that are kept of a room. */
  readonly chatMessages: number
  /** For how many days messages are kept. */
  readonly chatDays: number
  /** For how many days a closed room is kept, for `rooms.history`. */
  readonly historyDays: number
}

/** The servers that `rooms.iceServers` gives to calls. */
export interface IceSettings {
  readonly stunUrls: readonly string[]
  readonly turnUrls: readonly string[]
  /** What Rally and the TURN server share, to make and to check credentials. */
  readonly turnSecret: string | undefined
}

const HOUR_MS = 3_600_000

export function readRooms(env: Environment): RoomsSettings {
  return {
    comeBackMs: env.int('ROOM_COME_BACK_MS', 30_000, 100, HOUR_MS),
    emptyMs: env.int('ROOM_EMPTY_MS', 60_000, 100, 24 * HOUR_MS),
    maxActive: env.int('LIMIT_ACTIVE_ROOMS', 20, 1, 1_000),
    chatMessages: env.int('ROOM_CHAT_MESSAGES', 500, 50, 100_000),
    chatDays: env.int('ROOM_CHAT_DAYS', 30, 1, 36_500),
    historyDays: env.int('ROOM_HISTORY_DAYS', 90, 1, 36_500),
  }
}

export function readIce(env: Environment): IceSettings {
  const stunUrls = readUrls(env, 'STUN_URLS', /^stuns?:[^\s/?]+$/, 'stun:stun.example.com:3478')
  const turnUrls = readUrls(env, 'TURN_URLS', /^turns?:[^\s/?]+(\?transport=(udp|tcp))?$/, 'turn:turn.example.com:3478')
  const turnSecret = env.text('TURN_SECRET')
  if (turnUrls.length > 0 && turnSecret === undefined) {
    env.refuse('TURN_SECRET', 'is needed with TURN_URLS: the static-auth-secret of the TURN server')
  }
  return { stunUrls, turnUrls, turnSecret }
}

/** URLs of RFC 7064 (STUN) or RFC 7065 (TURN), separated by commas. */
function readUrls(env: Environment, name: string, form: RegExp, example: string): string[] {
  const urls = (env.text(name) ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  for (const url of urls) if (!form.test(url)) env.refuse(name, `"${url}" is no URL like ${example}`)
  return urls
}
