import { addressGroup, type Caller, RpcError } from '../../rpc/index.ts'
import type { Attempt, AttemptRule, Attempts } from './attempts.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** Five wrong codes in five minutes lock for five; the next locks last twice as long each, up to a day. */
export const codeRule: AttemptRule = {
  limit: 5,
  windowMs: 5 * MINUTE,
  lock: { firstMs: 5 * MINUTE, maxMs: DAY, forgetMs: DAY },
}

/**
 * Who stays just below the lock could guess a thousand times a day for ever. The locks of `codeRule` alone let through
 * less than this many a day.
 */
export const dailyRule: AttemptRule = { limit: 50, windowMs: DAY }

/** Attempts from one address count in this window; how many is configured. */
const ADDRESS_WINDOW_MS = 5 * MINUTE

/** Who is to be let in, as far as it is known before the code is looked at. */
export interface Claim {
  readonly caller: Caller
  readonly username: string
  /** Null when nobody has this name. */
  readonly userId: string | null
  /** The two ways in are locked apart: wrong codes of one must not keep the owner out of the other. */
  readonly by: 'code' | 'recovery'
}

/** An attempt that may go on. */
export interface Admission {
  /** The code was right: it counts against nobody. */
  succeeded(): Promise<void>
}

/**
 * Decides whether a code is looked at. It counts three times: for the address it comes from; for the username, or in
 * its place for a device on which this user signed in before, so that strangers who lock a name do not lock its owner
 * out; and for the same by day.
 */
export class SignInGuard {
  readonly #attempts: Attempts
  readonly #addressRule: AttemptRule

  constructor(attempts: Attempts, perAddress: number) {
    this.#attempts = attempts
    this.#addressRule = { limit: perAddress, windowMs: ADDRESS_WINDOW_MS }
  }

  /** @throws RpcError RATE_LIMITED when this address has asked too often. */
  admitAddress(ip: string): Promise<Attempt> {
    return this.#take(`ip:${addressGroup(ip)}`, this.#addressRule, 'Too many attempts from your network')
  }

  /** @throws RpcError RATE_LIMITED */
  async admit({ caller, username, userId, by }: Claim): Promise<Admission> {
    const { device } = caller
    const isKnown = device !== null && userId !== null && device.users.includes(userId)
    const who = isKnown ? `device:${device.id}:${userId}` : `user:${username}`
    const key = by === 'code' ? who : `recovery:${who}`
    const byAddress = await this.admitAddress(caller.ip)
    const byKey = await this.#take(key, codeRule, 'Too many wrong codes')
    const byDay = await this.#take(`day:${key}`, dailyRule, 'Too many wrong codes today')
    return {
      succeeded: async () => {
        await this.#attempts.reset(byKey)
        await this.#attempts.giveBack(byDay)
        await this.#attempts.giveBack(byAddress)
      },
    }
  }

  async #take(key: string, rule: AttemptRule, message: string): Promise<Attempt> {
    const taken = await this.#attempts.take(key, rule)
    if ('attempt' in taken) return taken.attempt
    throw new RpcError('RATE_LIMITED', `${message}; try again later`, { retryAfterMs: taken.retryAfterMs })
  }
}
