import type { SessionGate } from '../../server/session-gate.ts'
import type { Platform } from '../context.ts'
import { Attempts } from './attempts.ts'
import { Challenges } from './challenges.ts'
import { EndedSessions } from './ended-sessions.ts'
import { Housekeeping } from './housekeeping.ts'
import { Rotation } from './rotation.ts'
import { SecretBox } from './secret-box.ts'
import { Sessions } from './sessions.ts'
import { type AuthParts, SignIn } from './sign-in.ts'
import { SignInGuard } from './sign-in-guard.ts'
import { Tickets } from './tickets.ts'

/** Accounts and sessions of one process. */
export interface AuthService {
  /** What the transport needs: cookies and tickets are checked there, rows here. */
  readonly gate: SessionGate
  readonly signIn: SignIn
  readonly rotation: Rotation
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
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

/** @throws Error when the key for tickets is too short. */
export function createAuthService(platform: Platform, { now = Date.now }: AuthOptions = {}): AuthService {
  const { config, database } = platform
  const tickets = new Tickets(config.secrets.ticket, now)
  const parts: AuthParts = {
    platform,
    now,
    tickets,
    box: new SecretBox(config.secrets.encryption),
    guard: new SignInGuard(new Attempts(database.db, now), config.authPerIp),
    challenges: new Challenges(now),
  }
  const sessions = new Sessions(platform, tickets, now)
  const endedSessions = new EndedSessions(platform, sessions, now)
  const housekeeping = new Housekeeping(platform, sessions, now)
  return {
    gate: sessions,
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
