import { SecretBox } from '../../db/secret-encryption.ts'
import { type Platform, service } from '../platform.ts'
import { Challenges } from './challenges.ts'
import { AttemptCounters } from './limits/attempt-counters.ts'
import { Lockouts } from './limits/lockouts.ts'
import { Housekeeping } from './sessions/cleanup.ts'
import { EndedSessions } from './sessions/closing-sockets.ts'
import { Sessions } from './sessions/sessions.ts'
import { Tickets } from './sessions/tickets.ts'
import { type AuthParts, SignIn } from './sign-in.ts'
import { Rotation } from './totp/replace-authenticator.ts'

/** Accounts and sessions of one process. */
export interface AuthService {
  readonly signIn: SignIn
  readonly rotation: Rotation
  /** Also what the transport needs: cookies and tickets are checked there, rows here. */
  readonly sessions: Sessions
  /**
   * Begins to listen for sessions that end on other nodes, to look for them in the database, and to sweep. Resolves when
   * it listens.
   */
  start(): Promise<void>
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>
}

export interface AuthOptions {
  /** Milliseconds since the epoch, for what is stored. Default `Date.now`. */
  readonly now?: () => number
  /** Milliseconds of a clock that nobody sets, for what this process holds. Default `performance.now`. */
  readonly elapsed?: () => number
}

export const authService = service('auth', (platform) => createAuthService(platform))

/** @throws Error when the key for tickets is too short. */
export function createAuthService(platform: Platform, options: AuthOptions = {}): AuthService {
  const { now = Date.now, elapsed = () => performance.now() } = options
  const { config, database } = platform
  const limits = { perAddress: config.authPerIp, guessesPerHour: config.wrongCodesPerHour }
  let warnAgainAt = Number.NEGATIVE_INFINITY
  const onExhausted = (retryAfterMs: number): void => {
    if (elapsed() < warnAgainAt) return
    warnAgainAt = elapsed() + retryAfterMs
    platform.log
      .of('auth')
      .warn({ retryAfterMs }, 'the wrong codes of this hour are used up: new browsers have to wait')
  }
  const attempts = new AttemptCounters(database.reserved, { now, elapsed })
  const tickets = new Tickets(config.secrets.ticket, now)
  const parts: AuthParts = {
    platform,
    now,
    tickets,
    box: new SecretBox(config.secrets.encryption),
    lockouts: new Lockouts(attempts, limits, onExhausted),
    challenges: new Challenges(elapsed),
  }
  const sessions = new Sessions(platform, tickets, now)
  const endedSessions = new EndedSessions(platform, sessions, now)
  const housekeeping = new Housekeeping(platform, sessions, attempts, now)
  return {
    signIn: new SignIn(parts),
    rotation: new Rotation(parts, sessions),
    sessions,
    async start() {
      await sessions.start()
      endedSessions.start()
      housekeeping.start()
    },
    async stop() {
      await Promise.all([housekeeping.stop(), endedSessions.stop()])
      sessions.stop()
    },
  }
}
