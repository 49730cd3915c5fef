import { SecretBox } from '../../db/secret-encryption.ts'
import type { Sql } from '../../db/sql.ts'
import type { Call } from '../../rpc/index.ts'
import { type Platform, type Service, service } from '../platform.ts'
import type { Scope } from '../scope.ts'
import { type AuthParts, requireFreshSession } from './auth-parts.ts'
import { Challenges } from './challenges.ts'
import { deleteOldRows, MAX_ROWS } from './cleanup.ts'
import { exportAccount } from './export-account.ts'
import { AttemptCounters, type Clocks } from './limits/attempt-counters.ts'
import { Lockouts } from './limits/lockouts.ts'
import { Moderation } from './moderation.ts'
import { OwnPasskeys } from './passkeys/own-passkeys.ts'
import { WebAuthn } from './passkeys/webauthn.ts'
import { Removal } from './removal.ts'
import { SessionCloser } from './sessions/closing-sockets.ts'
import { Sessions } from './sessions/sessions.ts'
import { SignIn } from './sign-in.ts'
import { Tokens } from './tokens/tokens.ts'
import { Rotation } from './totp/replace-authenticator.ts'

/** Accounts and their sessions. */
export class AuthService implements Service {
  readonly signIn: SignIn
  readonly rotation: Rotation
  readonly ownPasskeys: OwnPasskeys
  readonly sessions: Sessions
  readonly tokens: Tokens
  readonly closer: SessionCloser
  readonly moderation: Moderation
  readonly removal: Removal
  readonly #now: () => number
  readonly #webauthn: WebAuthn | null
  readonly #parts: AuthParts

  /** @throws Error when the key for tickets is too short */
  constructor(platform: Platform, { now = Date.now, elapsed = () => performance.now() }: Partial<Clocks> = {}) {
    const { config, database, log } = platform
    this.#now = now
    const counters = new AttemptCounters(database.reserved, { now, elapsed })
    const limits = { perAddress: config.authPerIp, guessesPerHour: config.wrongCodesPerHour }
    let warnAgainAt = Number.NEGATIVE_INFINITY
    const onExhausted = (retryAfterMs: number): void => {
      if (elapsed() < warnAgainAt) return
      warnAgainAt = elapsed() + retryAfterMs
      log.of('auth').warn({ retryAfterMs }, 'the wrong codes of this hour are used up: new browsers have to wait')
    }
    this.closer = new SessionCloser(platform, now)
    this.sessions = new Sessions(platform, this.closer, now)
    this.tokens = new Tokens(platform, this.closer, now)
    this.#webauthn = config.secondFactor === 'passkey' ? new WebAuthn(config, log.of('auth')) : null
    this.#parts = {
      platform,
      now,
      sessions: this.sessions,
      box: new SecretBox(config.secrets.encryption),
      lockouts: new Lockouts(counters, limits, onExhausted),
      challenges: new Challenges(elapsed),
      webauthn: this.#webauthn,
    }
    this.signIn = new SignIn(this.#parts)
    this.rotation = new Rotation(this.#parts)
    this.ownPasskeys = new OwnPasskeys(this.#parts)
    this.removal = new Removal(this.#parts)
    this.moderation = new Moderation(this.#parts, this.closer)
  }

  get queues() {
    return { ...this.signIn.queues, 'auth.sessions': this.sessions.queue, 'auth.tokens': this.tokens.queue }
  }

  /** For acts of other modules that decide who may sign in. @throws RpcError FORBIDDEN in a session older than ten minutes */
  requireFreshSession(call: Call): Promise<void> {
    return requireFreshSession(this.#parts, call)
  }

  async start(): Promise<void> {
    await Promise.all([this.closer.start(), this.#webauthn?.start()])
  }

  async stop(): Promise<void> {
    this.closer.stop()
  }

  exportOf(userId: string, sql: Sql) {
    return exportAccount(sql, userId)
  }

  async cleanUp(scope: Scope): Promise<void> {
    await this.sessions.expire(scope, MAX_ROWS)
    await this.tokens.expire(scope, MAX_ROWS)
    await deleteOldRows(scope.sql, this.#now())
  }
}

export const authService = service('auth', (platform) => new AuthService(platform))
