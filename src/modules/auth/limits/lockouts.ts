import { addressGroup, type Caller, RpcError, widerGroup } from '../../../rpc/index.ts'
import type { AttemptRule, Attempts, Budget, Counted } from './attempt-counters.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Of one device, known or not: five wrong codes lock it for five minutes, and then for twice as long each time. */
export const deviceRule: AttemptRule = {
  limit: 5,
  windowMs: 5 * MINUTE,
  lock: { firstMs: 5 * MINUTE, maxMs: DAY, forgetMs: DAY },
}
/** Of a known device: for those who stay below the lock. */
export const knownDayRule: AttemptRule = { limit: 50, windowMs: DAY }
/** Of a device that is not known, at one name. */
export const strangerDayRule: AttemptRule = { limit: 10, windowMs: DAY }

/** Of a name, over all devices that are not known. Any stranger can bring this lock about, so it stays short. */
export const nameRule: AttemptRule = {
  limit: 5,
  windowMs: 5 * MINUTE,
  lock: { firstMs: 5 * MINUTE, maxMs: 5 * MINUTE, forgetMs: DAY },
}
/** The same for those who stay below the lock, or come back after each. */
export const nameHalfHourRule: AttemptRule = { limit: 10, windowMs: 30 * MINUTE }

const ADDRESS_WINDOW_MS = 5 * MINUTE
const GUESS_WINDOW_MS = HOUR
/** An address group has this share of its attempts in five minutes for wrong codes in an hour. */
const GUESS_SHARE = 1 / 5
/** What a /48 may do, in shares of one of its groups. */
const WIDER = { attempts: 4, guesses: 2 }
/** All wrong codes at any name from devices that are not known. */
const ALL_GUESSES = 'guess:all'

export interface GuardLimits {
  /** Attempts of one address group in five minutes. */
  readonly perAddress: number
  /** Wrong codes from devices that are not known, in an hour, of the whole installation. */
  readonly guessesPerHour: number
}

/** One attempt to get in. */
export interface Attempt {
  /**
   * Counts it, before the code is looked at.
   *
   * @throws RpcError RATE_LIMITED
   */
  take(): Promise<void>
  /** The code was right: the attempt counts against nobody, and what others have brought upon the name is lifted. */
  succeeded(): Promise<void>
}

/**
 * Decides whether a code is looked at. Every attempt counts for the address group that it comes from, and for the /48
 * around it. A code of an authenticator counts further:
 *
 * - From a device on which its user signed in before, for that device alone: strangers cannot lock the owner out.
 * - From any other device for the name, whose locks are short; for the name and the network that the device is in, as
 *   nothing else tells such a device from others; and as a guess of the address group, the /48 and the installation.
 *
 * A recovery code counts for addresses alone: nobody guesses 80 random bits, and a lock would only be a way to deny. So
 * does the code of a candidate, who was shown the secret.
 *
 * All three throw RpcError RATE_LIMITED at once, without a query, where a refusal is remembered.
 */
export class SignInGuard {
  readonly #attempts: Attempts
  readonly #limits: GuardLimits
  readonly #onExhausted: (retryAfterMs: number) => void

  /** `onExhausted` is told when the installation's guesses are used up. */
  constructor(attempts: Attempts, limits: GuardLimits, onExhausted: (retryAfterMs: number) => void) {
    this.#attempts = attempts
    this.#limits = limits
    this.#onExhausted = onExhausted
  }

  /** For what names no user: beginning, and the codes of candidates. */
  fromAddress({ ip }: Caller): Attempt {
    return this.#attempt(this.#addressBudgets(ip), [])
  }

  forRecovery({ ip }: Caller, username: string): Attempt {
    return this.#attempt(this.#addressBudgets(ip), nameBudgets(username))
  }

  forCode({ ip, device }: Caller, user: { readonly userId: string; readonly username: string }): Attempt {
    const { userId, username } = user
    const name = nameBudgets(username)
    const address = this.#addressBudgets(ip)
    if (device?.users.includes(userId)) {
      const own = deviceBudget(`device:${device.id}:${userId}`)
      return this.#attempt([...address, own, dayBudget(own, knownDayRule)], [own, ...name])
    }
    const own = deviceBudget(`stranger:${networkOf(ip)}:${username}`)
    const budgets = [...address, ...name, own, dayBudget(own, strangerDayRule), ...this.#guessBudgets(ip)]
    return this.#attempt(budgets, [own, ...name])
  }

  /** A success forgets all failures of some budgets, and takes this one back from the others. */
  #attempt(budgets: readonly Budget[], lifted: readonly Budget[]): Attempt {
    const remembered = this.#attempts.remembered(budgets)
    if (remembered) throw this.#refusal(remembered.refused)
    let counted: readonly Counted[] = []
    return {
      take: async () => {
        const taken = await this.#attempts.take(budgets)
        if ('refused' in taken) throw this.#refusal(taken.refused)
        counted = taken.counted
      },
      succeeded: () => {
        const forgotten = lifted.map(({ key }) => key)
        const givenBack = counted.filter(({ key }) => !forgotten.includes(key))
        return this.#attempts.settle(forgotten, givenBack)
      },
    }
  }

  #addressBudgets(ip: string): Budget[] {
    const limit = this.#limits.perAddress
    const wider = widerGroup(ip)
    return [
      { key: `ip:${addressGroup(ip)}`, rule: { limit, windowMs: ADDRESS_WINDOW_MS } },
      ...(wider ? [{ key: `ip:${wider}`, rule: { limit: limit * WIDER.attempts, windowMs: ADDRESS_WINDOW_MS } }] : []),
    ]
  }

  #guessBudgets(ip: string): Budget[] {
    const { perAddress, guessesPerHour } = this.#limits
    const limit = Math.ceil(perAddress * GUESS_SHARE)
    const wider = widerGroup(ip)
    return [
      { key: `guess:${addressGroup(ip)}`, rule: { limit, windowMs: GUESS_WINDOW_MS } },
      ...(wider ? [{ key: `guess:${wider}`, rule: { limit: limit * WIDER.guesses, windowMs: GUESS_WINDOW_MS } }] : []),
      { key: ALL_GUESSES, rule: { limit: guessesPerHour, windowMs: GUESS_WINDOW_MS } },
    ]
  }

  #refusal({ key, retryAfterMs }: { readonly key: string; readonly retryAfterMs: number }): RpcError {
    if (key === ALL_GUESSES) this.#onExhausted(retryAfterMs)
    return new RpcError('RATE_LIMITED', messageOf(key), { retryAfterMs })
  }
}

/** What a device that is not known is taken for: an IPv4 address, or a /48, of which one site has all addresses. */
export function networkOf(ip: string): string {
  return widerGroup(ip) ?? addressGroup(ip)
}

function nameBudgets(username: string): Budget[] {
  return [
    { key: `name:${username}`, rule: nameRule },
    { key: `half-hour:${username}`, rule: nameHalfHourRule },
  ]
}

function deviceBudget(key: string): Budget {
  return { key, rule: deviceRule }
}

function dayBudget({ key }: Budget, rule: AttemptRule): Budget {
  return { key: `day:${key}`, rule }
}

function messageOf(key: string): string {
  if (key.startsWith('ip:')) return 'Too many attempts from your network; try again later'
  if (key !== ALL_GUESSES) return 'Too many wrong codes; try again later'
  return 'Too many wrong codes on this server; use a browser that you have signed in with, a recovery code, or wait'
}
