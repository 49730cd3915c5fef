import { addressGroups, type Caller, RpcError } from '../../../rpc/index.ts'
import type { AttemptCounters, AttemptRule, Budget, Counted } from './attempt-counters.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/** One device, known or not: five wrong codes lock it for five minutes, and each further lock lasts twice as long. */
export const deviceRule: AttemptRule = {
  limit: 5,
  windowMs: 5 * MINUTE,
  lock: { firstMs: 5 * MINUTE, maxMs: DAY, forgetMs: DAY },
}
/** A known device that never reaches the lock. */
const knownDayRule: AttemptRule = { limit: 50, windowMs: DAY }
/** An unknown device, at one name. */
const unknownDayRule: AttemptRule = { limit: 10, windowMs: DAY }

/** A name, over all unknown devices. Any stranger can cause this lock, so it stays short. */
const nameRule: AttemptRule = {
  limit: 5,
  windowMs: 5 * MINUTE,
  lock: { firstMs: 5 * MINUTE, maxMs: 5 * MINUTE, forgetMs: DAY },
}
/** A name whose attackers stay below the lock, or come back after each one. */
const nameHalfHourRule: AttemptRule = { limit: 10, windowMs: 30 * MINUTE }

export interface AddressLimits {
  /** Attempts of one address group in five minutes: `LIMIT_AUTH_PER_IP`. */
  readonly perAddress: number
  /** Wrong codes from unknown devices in an hour, of the whole installation: `LIMIT_WRONG_CODES_PER_HOUR`. */
  readonly guessesPerHour: number
}

const ADDRESS_WINDOW_MS = 5 * MINUTE
const GUESS_WINDOW_MS = 60 * MINUTE
/** Wrong codes of an address group in an hour, as a share of its attempts in five minutes. */
const GUESS_SHARE = 1 / 5
/** A /48 has this many times the attempts and the wrong codes of one of its groups. */
const WIDER = { attempts: 4, guesses: 2 }
/** Counts the wrong codes from all unknown devices at all names. */
const ALL_GUESSES = 'guess:all'

/** One attempt to sign in. */
export interface Attempt {
  /** Counts the attempt, before its code is checked. @throws RpcError RATE_LIMITED */
  take(): Promise<void>
  /** The code was right: the attempt is not counted, and the locks of the device and the name end. */
  succeeded(): Promise<void>
}

/**
 * Decides whether a code may be checked. Every attempt counts for its address group and for the /48 around it. The code
 * of an authenticator counts for more:
 *
 * - From a known device, where its user signed in before: for this device alone, so strangers cannot lock the owner out.
 * - From any other device: for the name, whose locks are short; for the name and the network of the device, because
 *   nothing else identifies such a device; and as a guess of the address group, the /48 and the installation.
 *
 * A recovery code counts for addresses alone: nobody guesses 80 random bits, and a lock would only keep the owner out.
 * The code of a candidate counts for addresses alone too, because the candidate was shown the secret.
 *
 * The three methods throw RpcError RATE_LIMITED at once, without a query, when a refusal is remembered.
 */
export class Lockouts {
  readonly #counters: AttemptCounters
  readonly #limits: AddressLimits
  readonly #onExhausted: (retryAfterMs: number) => void

  /** `onExhausted` is called when the wrong codes of the whole installation are used up. */
  constructor(counters: AttemptCounters, limits: AddressLimits, onExhausted: (retryAfterMs: number) => void) {
    this.#counters = counters
    this.#limits = limits
    this.#onExhausted = onExhausted
  }

  /** For what concerns no user: `begin`, and the codes of candidates. */
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
      const own = deviceBudgets(`device:${device.id}:${userId}`, knownDayRule)
      return this.#attempt([...address, ...own], [own[0], ...name])
    }
    const own = deviceBudgets(`stranger:${networkOf(ip)}:${username}`, unknownDayRule)
    return this.#attempt([...address, ...name, ...own, ...guessBudgets(ip, this.#limits)], [own[0], ...name])
  }

  #addressBudgets(ip: string): Budget[] {
    return groupBudgets('ip', ip, this.#limits.perAddress, WIDER.attempts, ADDRESS_WINDOW_MS)
  }

  /** A success resets the counters of `reset`, and takes this attempt back from the other `budgets`. */
  #attempt(budgets: readonly Budget[], reset: readonly Budget[]): Attempt {
    const remembered = this.#counters.remembered(budgets)
    if (remembered) throw this.#refusal(remembered.refused)
    let counted: readonly Counted[] = []
    return {
      take: async () => {
        const taken = await this.#counters.take(budgets)
        if ('refused' in taken) throw this.#refusal(taken.refused)
        counted = taken.counted
      },
      succeeded: () => {
        const forgotten = reset.map(({ key }) => key)
        const givenBack = counted.filter(({ key }) => !forgotten.includes(key))
        return this.#counters.settle(forgotten, givenBack)
      },
    }
  }

  #refusal({ key, retryAfterMs }: { readonly key: string; readonly retryAfterMs: number }): RpcError {
    if (key === ALL_GUESSES) this.#onExhausted(retryAfterMs)
    return new RpcError('RATE_LIMITED', messageOf(key), { retryAfterMs })
  }
}

/** An IPv4 address, or a /48 of IPv6, because one site may use all addresses of a /48. */
export function networkOf(ip: string): string {
  const [group, wider = group] = addressGroups(ip)
  return wider
}

/** The wrong codes of an address group, of the /48 around it, and of the installation. */
function guessBudgets(ip: string, { perAddress, guessesPerHour }: AddressLimits): Budget[] {
  const own = groupBudgets('guess', ip, Math.ceil(perAddress * GUESS_SHARE), WIDER.guesses, GUESS_WINDOW_MS)
  return [...own, { key: ALL_GUESSES, rule: { limit: guessesPerHour, windowMs: GUESS_WINDOW_MS } }]
}

function groupBudgets(kind: string, ip: string, limit: number, widerTimes: number, windowMs: number): Budget[] {
  return addressGroups(ip).map((group, level) => ({
    key: `${kind}:${group}`,
    rule: { limit: limit * widerTimes ** level, windowMs },
  }))
}

function nameBudgets(username: string): Budget[] {
  return [
    { key: `name:${username}`, rule: nameRule },
    { key: `half-hour:${username}`, rule: nameHalfHourRule },
  ]
}

/** The lock of a device, and its wrong codes in a day. */
function deviceBudgets(key: string, dayRule: AttemptRule): [Budget, Budget] {
  return [
    { key, rule: deviceRule },
    { key: `day:${key}`, rule: dayRule },
  ]
}

function messageOf(key: string): string {
  if (key.startsWith('ip:')) return 'Too many attempts from your network; try again later'
  if (key !== ALL_GUESSES) return 'Too many wrong codes; try again later'
  return 'Too many wrong codes on this server; use a browser that you have signed in with, a recovery code, or wait'
}
