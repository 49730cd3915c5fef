import { IncrementalSweep } from './incremental-sweep.ts'

/** So many a second on average, so many at once. */
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

  constructor({ perSecond, burst }: Rate, now: number) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#tokens = burst
    this.#at = now
  }

  /** Takes `amount` tokens; 0 if there were as many, else the milliseconds until there will be, and takes none. */
  take(amount: number, now: number): number {
    this.#refill(now)
    if (this.#tokens >= amount) {
      this.#tokens -= amount
      return 0
    }
    return (amount - this.#tokens) / this.#perMs
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

/** What one socket, one user or one address group may use. */
export interface Rates {
  readonly requests: Rate
  readonly inputs: Rate
  readonly bytes: Rate
  readonly upgrades: Rate
  /** TCP connections. */
  readonly arrivals: Rate
}

/** What one of them has used. */
export class Account {
  readonly requests: TokenBucket
  readonly inputs: TokenBucket
  readonly bytes: TokenBucket
  readonly upgrades: TokenBucket
  readonly arrivals: TokenBucket
  /** Open sockets, and those that are being opened; counted for addresses alone. */
  sockets = 0
  /** Connections that use it. */
  connections = 0

  constructor(rates: Rates, now: number) {
    this.requests = new TokenBucket(rates.requests, now)
    this.inputs = new TokenBucket(rates.inputs, now)
    this.bytes = new TokenBucket(rates.bytes, now)
    this.upgrades = new TokenBucket(rates.upgrades, now)
    this.arrivals = new TokenBucket(rates.arrivals, now)
  }

  /** Nothing would be lost with it: a new one would be the same. */
  isUnused(now: number): boolean {
    const { requests, inputs, bytes, upgrades, arrivals } = this
    return !this.isHeld && [requests, inputs, bytes, upgrades, arrivals].every((bucket) => bucket.isFull(now))
  }

  get isHeld(): boolean {
    return this.sockets > 0 || this.connections > 0
  }
}

/** Accounts of one kind that are known at once. Those that are held come on top: there are no more than sockets. */
const MAX_ACCOUNTS = 20_000
const SWEEP_CALLS = 100
/** Accounts that are passed over, because they are held, to find one to forget. */
const MAX_PASSED_OVER = 16

/** Accounts by key, each forgotten once it is as good as new. */
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

  get(key: string, now: number): Account {
    const known = this.#known.get(key)
    if (known) return known
    if (this.#known.size >= MAX_ACCOUNTS) this.#forgetOldest()
    const account = new Account(this.#rates, now)
    this.#known.set(key, account)
    return account
  }

  /** Looks at a share of the accounts. Called several times a second. */
  sweep(now: number): void {
    this.#sweeps.next(([key, account]) => {
      if (account.isUnused(now)) this.#known.delete(key)
    })
  }

  /** The oldest that is not held. Those that are go to the end, so that the next search is short. */
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
