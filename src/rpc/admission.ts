import type { Limits } from '../protocol/index.ts'
import { addressGroup, widerGroup } from './address-groups.ts'
import type { MethodLimiter } from './method-limits.ts'
import type { Caller } from './sessions.ts'
import { Account, Accounts, type Rate, type Rates, TokenBucket } from './token-buckets.ts'

/** How many times what one address group may use all of a /48 may. */
const TIMES_WIDER = 4
/** A browser that opens a page makes some for its files. */
const CONNECTIONS_PER_UPGRADE = 4
/** Frames and bytes refused, less those let through meanwhile, after which a socket is closed with 4029. */
const MAX_REFUSED = 1000
const MAX_REFUSED_BYTES = 4 * 1024 * 1024
/** Refusals of one socket that are answered; the others are dropped without a word. */
const REFUSAL_ANSWERS = { perSecond: 50, burst: 100 }

/** What to do about a frame that is refused. */
export type Refusal = 'answer' | 'drop' | 'close'

/** What one socket may still ask, with those it shares its limits with. */
export class Allowance {
  /** Whom the limits that definitions declare count. */
  readonly keys: readonly string[]
  readonly maxFrameBytes: number
  /** All that pay for a frame: the socket, its user, its address group and the /48 around that. */
  readonly payers: readonly Account[]
  readonly #answers: TokenBucket
  #refused = 0
  #refusedBytes = 0

  constructor(keys: readonly string[], maxFrameBytes: number, payers: readonly Account[], now: number) {
    this.keys = keys
    this.maxFrameBytes = maxFrameBytes
    this.payers = payers
    this.#answers = new TokenBucket(REFUSAL_ANSWERS, now)
  }

  letThrough(bytes: number): void {
    if (this.#refused === 0) return
    this.#refused--
    this.#refusedBytes = Math.max(0, this.#refusedBytes - bytes)
  }

  /** Counts a frame that was refused, and says what to do about it. */
  refuse(bytes: number, now: number): Refusal {
    this.#refusedBytes += bytes
    if (++this.#refused > MAX_REFUSED || this.#refusedBytes > MAX_REFUSED_BYTES) return 'close'
    return this.#answers.take(1, now) === 0 ? 'answer' : 'drop'
  }
}

/** A number of places; whoever finds none is turned away. */
export class Places {
  readonly #max: number
  #taken = 0

  constructor(max: number) {
    this.#max = max
  }

  get areTaken(): boolean {
    return this.#taken >= this.#max
  }

  /** Holds a place until `work` is over, however it ends. */
  hold(work: Promise<unknown>): void {
    this.#taken++
    const free = () => void this.#taken--
    work.then(free, free)
  }
}

/** Accounts of address groups, and of the /48s around them. */
type AddressAccounts = readonly [groups: Accounts, wider: Accounts]

/**
 * What every upgrade, HTTP request and frame passes before anything of it is read: token buckets of the socket, its user,
 * its address group (an IPv4 address or the /64 of an IPv6 one) and, of IPv6, the /48. Sockets with a user and those
 * without share the limits of their address with their own kind alone, so that strangers behind the same address cannot
 * keep players from playing.
 *
 * Whatever is asked here answers 0, or for how many milliseconds it is refused. Nothing is remembered of those whose
 * buckets are full again. All times are of a monotonic clock.
 */
export class Admission {
  /** Places of reads without a user that wait for the database. */
  readonly anonymousReads: Places
  readonly #limits: Limits
  readonly #socketRates: Rates
  readonly #users: Accounts
  /** Of addresses, for what comes without a user. */
  readonly #strangers: AddressAccounts
  /** Of addresses, for sockets with a user. */
  readonly #players: AddressAccounts

  constructor(limits: Limits) {
    this.#limits = limits
    this.anonymousReads = new Places(limits.anonymousReads)
    this.#socketRates = ratesOf(limits, 1)
    this.#users = new Accounts(ratesOf(limits, limits.timesPerUser))
    const group = ratesOf(limits, limits.timesPerIp)
    const wider = widened(group)
    this.#strangers = [new Accounts(group), new Accounts(wider)]
    this.#players = [new Accounts(group), new Accounts(wider)]
  }

  /** Asked for every TCP connection, before its first byte. */
  connection(ip: string): number {
    return this.#takeOne('arrivals', ip)
  }

  /** Asked for every upgrade, before its headers are looked at. */
  upgrade(ip: string): number {
    return this.#takeOne('upgrades', ip)
  }

  /** Asked for every HTTP request, before it is routed. `bytes` are those of its body. */
  http(ip: string, bytes: number): number {
    const now = performance.now()
    return take(groupsIn(this.#strangers, ip, now), 'requests', 1, bytes, now)
  }

  /** Takes one of the places for sockets of an address; false when there is none. */
  socketOpened(ip: string): boolean {
    const accounts = groupsIn(this.#strangers, ip, performance.now())
    const { socketsPerIp } = this.#limits
    if (accounts.some(({ sockets }, i) => sockets >= socketsPerIp * (i === 0 ? 1 : TIMES_WIDER))) return false
    for (const account of accounts) account.sockets++
    return true
  }

  /** Gives back what `socketOpened` took. */
  socketClosed(ip: string): void {
    for (const account of groupsIn(this.#strangers, ip, performance.now())) account.sockets--
  }

  /** Makes the allowance of a new connection; `release` has to follow. */
  allow(caller: Pick<Caller, 'user' | 'ip'>): Allowance {
    const { user, ip } = caller
    const now = performance.now()
    const own = new Account(this.#socketRates, now)
    const { frameBytes, anonymousFrameBytes } = this.#limits
    const shared = user
      ? [this.#users.get(user.id, now), ...groupsIn(this.#players, ip, now)]
      : groupsIn(this.#strangers, ip, now)
    for (const account of shared) account.connections++
    const maxFrameBytes = user ? frameBytes : Math.min(frameBytes, anonymousFrameBytes)
    return new Allowance(keysOf(caller), maxFrameBytes, [own, ...shared], now)
  }

  release({ payers }: Allowance): void {
    for (const account of payers) account.connections--
  }

  /** Asked for every frame but inputs, before it is parsed. */
  frame(allowance: Allowance, bytes: number, now: number): number {
    const waitMs = take(allowance.payers, 'requests', 1, bytes, now)
    if (waitMs === 0) allowance.letThrough(bytes)
    return waitMs
  }

  /** Asked for every frame with an input, before it is parsed. */
  input(allowance: Allowance, bytes: number, now: number): number {
    const waitMs = take(allowance.payers, 'inputs', 1, bytes, now)
    if (waitMs === 0) allowance.letThrough(bytes)
    return waitMs
  }

  /** Asked for every call of a definition that has a limit. `keys` are those of `keysOf`. */
  call(limiter: MethodLimiter, keys: readonly string[], now: number): number {
    for (let i = 0; i < keys.length; i++) {
      const waitMs = limiter.take(keys[i] ?? '', now, i === 0 ? 1 : TIMES_WIDER)
      if (waitMs > 0) return waitMs
    }
    return 0
  }

  /** Undoes a `call` that answered 0, for a request that turned out to be a retry. */
  takeBack(limiter: MethodLimiter, keys: readonly string[]): void {
    for (let i = 0; i < keys.length; i++) limiter.giveBack(keys[i] ?? '', i === 0 ? 1 : TIMES_WIDER)
  }

  #takeOne(kind: 'arrivals' | 'upgrades', ip: string): number {
    const now = performance.now()
    for (const account of groupsIn(this.#strangers, ip, now)) {
      const waitMs = account[kind].take(1, now)
      if (waitMs > 0) return waitMs
    }
    return 0
  }

  /** Users and addresses of which something is remembered. */
  get size(): number {
    return this.#all.reduce((sum, accounts) => sum + accounts.size, 0)
  }

  /** Forgets accounts that are as good as new. Called several times a second. */
  sweep(now: number): void {
    for (const accounts of this.#all) accounts.sweep(now)
  }

  get #all(): readonly Accounts[] {
    return [this.#users, ...this.#strangers, ...this.#players]
  }
}

/** Whom the limits that definitions declare count: the user, or the address group and the /48 around it. */
export function keysOf({ user, ip }: Pick<Caller, 'user' | 'ip'>): readonly string[] {
  if (user) return [user.id]
  const wider = widerGroup(ip)
  return wider === null ? [addressGroup(ip)] : [addressGroup(ip), wider]
}

/** 0 when every account had enough; what those before it gave is not given back. */
function take(
  payers: readonly Account[],
  kind: 'requests' | 'inputs',
  count: number,
  bytes: number,
  now: number,
): number {
  for (const payer of payers) {
    const waitMs = payer[kind].take(count, now) || payer.bytes.take(bytes, now)
    if (waitMs > 0) return waitMs
  }
  return 0
}

/** The accounts of an address: of its group, and of IPv6 of the /48 too. */
function groupsIn([groups, wider]: AddressAccounts, ip: string, now: number): Account[] {
  const group = groups.get(addressGroup(ip), now)
  const key = widerGroup(ip)
  return key === null ? [group] : [group, wider.get(key, now)]
}

/** What `times` sockets may use. Those that share have a second's worth at once, or as much as one of them. */
function ratesOf(limits: Limits, times: number): Rates {
  const share = (perSecond: number, burst: number): Rate => ({
    perSecond: perSecond * times,
    burst: times === 1 ? burst : Math.max(perSecond * times, burst),
  })
  const upgrades = { perSecond: limits.upgradesPerSecond, burst: limits.upgradesBurst }
  return {
    requests: share(limits.requestsPerSecond, limits.requestsBurst),
    inputs: share(limits.inputsPerSecond, limits.inputsPerSecond),
    bytes: share(limits.bytesPerSecond, Math.max(limits.bytesBurst, limits.frameBytes)),
    upgrades,
    arrivals: multiplied(upgrades, CONNECTIONS_PER_UPGRADE),
  }
}

function widened({ requests, inputs, bytes, upgrades, arrivals }: Rates): Rates {
  const wider = (rate: Rate) => multiplied(rate, TIMES_WIDER)
  return {
    requests: wider(requests),
    inputs: wider(inputs),
    bytes: wider(bytes),
    upgrades: wider(upgrades),
    arrivals: wider(arrivals),
  }
}

function multiplied({ perSecond, burst }: Rate, times: number): Rate {
  return { perSecond: perSecond * times, burst: burst * times }
}
