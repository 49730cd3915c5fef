import { IncrementalSweep } from './incremental-sweep.ts'

/** So many a second on average, and so many at once (burst). */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** A token bucket. All times are those of one monotonic clock, in milliseconds. */
export class TokenBucket {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #at: number

  /** `times` multiplies the rate. */
  constructor({ perSecond, burst }: Rate, now: number, times = 1) {
    this.#perMs = (perSecond * times) / 1000
    this.#burst = burst * times
    this.#tokens = this.#burst
    this.#at = now
  }

  /** Takes `amount` tokens and returns 0. If there are fewer, takes none and returns the ms until there are enough. */
  take(amount: number, now: number): number {
    this.#refill(now)
    if (this.#tokens >= amount) {
      this.#tokens -= amount
      return 0
    }
    return (amount - this.#tokens) / this.#perMs
  }

  takeUpTo(amount: number, now: number): void {
    this.#refill(now)
    this.#tokens = Math.max(0, this.#tokens - amount)
  }

  isFull(now: number): boolean {
    this.#refill(now)
    return this.#tokens >= this.#burst
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs)
    this.#at = now
  }
}

/** What one socket, one user or one address group may use. `arrivals` are TCP connections. */
export type Rates = Readonly<Record<'requests' | 'inputs' | 'bytes' | 'upgrades' | 'arrivals', Rate>>

/** What one socket, user or address group has used: a bucket for each rate. */
export class Account {
  readonly requests: TokenBucket
  readonly inputs: TokenBucket
  readonly bytes: TokenBucket
  readonly upgrades: TokenBucket
  readonly arrivals: TokenBucket
  /** It may use so many times the rates. */
  readonly times: number
  /** Open sockets and those that are being opened; counted for addresses alone. */
  sockets = 0
  /** Open connections that are counted here. */
  connections = 0

  constructor(rates: Rates, now: number, times = 1) {
    this.times = times
    this.requests = new TokenBucket(rates.requests, now, times)
    this.inputs = new TokenBucket(rates.inputs, now, times)
    this.bytes = new TokenBucket(rates.bytes, now, times)
    this.upgrades = new TokenBucket(rates.upgrades, now, times)
    this.arrivals = new TokenBucket(rates.arrivals, now, times)
  }

  /** Whether a new account would be equal. */
  isUnused(now: number): boolean {
    const { requests, inputs, bytes, upgrades, arrivals } = this
    return !this.isHeld && [requests, inputs, bytes, upgrades, arrivals].every((bucket) => bucket.isFull(now))
  }

  get isHeld(): boolean {
    return this.sockets > 0 || this.connections > 0
  }
}

/** The most accounts of each kind without open sockets. The number of sockets bounds the others. */
const MAX_ACCOUNTS = 20_000
const SWEEP_CALLS = 100
/** How many accounts with open sockets are skipped at most to find one to forget. */
const MAX_PASSED_OVER = 16

/** Accounts by key. An account that equals a new one is forgotten. */
export class Accounts {
  readonly #rates: Rates
  readonly #known = new Map<string, Account>()
  readonly #sweeps = new IncrementalSweep(this.#known, SWEEP_CALLS)

  constructor(rates: Rates) {
    this.#rates = rates
  }

  get size(): number {
    return this.#known.size
  }

  entries(): IterableIterator<[key: string, account: Account]> {
    return this.#known.entries()
  }

  /** The account of `key`, which may use `times` the rates if it is a new one. */
  get(key: string, now: number, times = 1): Account {
    const known = this.#known.get(key)
    if (known) return known
    if (this.#known.size >= MAX_ACCOUNTS) this.#forgetOldest()
    const account = new Account(this.#rates, now, times)
    this.#known.set(key, account)
    return account
  }

  /** Checks a share of the accounts. Called several times a second. */
  sweep(now: number): void {
    this.#sweeps.next(([key, account]) => {
      if (account.isUnused(now)) this.#known.delete(key)
    })
  }

  /** Forgets the oldest account without open sockets. Skipped accounts go to the end, so that the next search is short. */
  #forgetOldest(): void {
    let passedOver = 0
    for (const [key, account] of this.#known) {
      this.#known.delete(key)
      if (!account.isHeld) return
      this.#known.set(key, account)
      if (++passedOver === MAX_PASSED_OVER) return
    }
  }
}
