import type { Limits } from '../protocol/index.ts'
import { MethodLimiter } from './method-limits.ts'
import type { Caller } from './sessions.ts'
import { Account, Accounts, type Rate, type Rates, TokenBucket } from './token-buckets.ts'

/** A /48 may use so many times as much as one address group. */
const TIMES_WIDER = 4
/** TCP connections for each upgrade that is allowed: a browser opens some for the files of a page. */
const CONNECTIONS_PER_UPGRADE = 4
/** A socket is closed with 4029 after so many refused frames or bytes, minus those accepted meanwhile. */
const MAX_REFUSED = 1000
const MAX_REFUSED_BYTES = 4 * 1024 * 1024
/** Of one address group. No token can be guessed; this bounds what looking them up costs. */
const WRONG_TOKENS = { points: 60, perSeconds: 60 }
/** Addresses whose upgrades other nodes are told of at once. */
const MAX_UPGRADED = 1_000
/** So many refusals a socket and second are answered. The others are dropped. */
const REFUSAL_ANSWERS = { perSecond: 50, burst: 100 }

/** What one socket may still use, alone and together with those that share its limits. */
export class Allowance {
  /** What the limits of definitions count by: see `keysOf`. */
  readonly keys: readonly string[]
  readonly maxFrameBytes: number
  /** Each frame is counted for all of these: the socket, its user, its address group and the /48 around it. */
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

  /** Counts a refused frame, and says what happens to it. */
  refuse(bytes: number, now: number): 'answer' | 'drop' | 'close' {
    this.#refusedBytes += bytes
    if (++this.#refused > MAX_REFUSED || this.#refusedBytes > MAX_REFUSED_BYTES) return 'close'
    return this.#answers.take(1, now) === 0 ? 'answer' : 'drop'
  }
}

/**
 * Decides on every upgrade, HTTP request and frame before anything of it is read. There are token buckets for the socket, its
 * user and its `addressGroups`. At one address, sockets with a user and sockets without one have buckets of their own, so that
 * strangers cannot keep players from playing.
 *
 * The methods return 0, or for how many ms the caller has to wait. Full buckets are forgotten. Times are of a monotonic clock.
 */
export class Admission {
  readonly #limits: Limits
  readonly #socketRates: Rates
  readonly #users: Accounts
  /** For addresses: requests and sockets without a user. */
  readonly #strangers: Accounts
  /** For addresses: sockets with a user. */
  readonly #players: Accounts
  /** By address group. */
  readonly wrongTokens = new MethodLimiter(WRONG_TOKENS)
  /** How much was refused since the start. A socket is one too many of its address; a call is over its definition's limit. */
  readonly refused = { connection: 0, upgrade: 0, socket: 0, http_request: 0, frame: 0, call: 0 }
  /** Upgrades by address since other nodes were told. */
  readonly upgraded = new Map<string, number>()
  /** The sockets that an address group has at other nodes. */
  socketsElsewhere: (group: string) => number = () => 0

  constructor(limits: Limits) {
    this.#limits = limits
    this.#socketRates = ratesOf(limits, 1)
    this.#users = new Accounts(ratesOf(limits, limits.timesPerUser))
    this.#strangers = new Accounts(ratesOf(limits, limits.timesPerIp))
    this.#players = new Accounts(ratesOf(limits, limits.timesPerIp))
  }

  /** For every TCP connection, before its first byte. */
  connection(ip: string): number {
    const now = performance.now()
    const waitMs = take(groupsIn(this.#strangers, ip, now), 'arrivals', 0, now)
    if (waitMs > 0) this.refused.connection++
    return waitMs
  }

  /** For every upgrade, before its headers are read. */
  upgrade(ip: string): number {
    const now = performance.now()
    const waitMs = take(groupsIn(this.#strangers, ip, now), 'upgrades', 0, now)
    if (waitMs > 0) this.refused.upgrade++
    const upgraded = this.upgraded.get(ip)
    if (waitMs === 0 && (upgraded !== undefined || this.upgraded.size < MAX_UPGRADED)) {
      this.upgraded.set(ip, (upgraded ?? 0) + 1)
    }
    return waitMs
  }

  /** For every HTTP request, before it is routed. `bytes` is the size of its body. */
  http(ip: string, bytes: number): number {
    const now = performance.now()
    const waitMs = take(groupsIn(this.#strangers, ip, now), 'requests', bytes, now)
    if (waitMs > 0) this.refused.http_request++
    return waitMs
  }

  /** For every HTTP request of a user, once it is known whose it is. `bytes` is the size of its body. */
  httpOf(userId: string, bytes: number): number {
    const now = performance.now()
    // A body may be larger than all frames of a moment: it then uses up what there is.
    const waitMs = take([this.#users.get(userId, now)], 'requests', Math.min(bytes, this.#limits.bytesBurst), now)
    if (waitMs > 0) this.refused.http_request++
    return waitMs
  }

  /** Subtracts upgrades that another node has let through. */
  upgradedElsewhere(ip: string, count: number, now: number): void {
    for (const { upgrades } of groupsIn(this.#strangers, ip, now)) upgrades.takeUpTo(count, now)
  }

  /** For every token, before it is looked up: how long this address has to wait after wrong ones. */
  token(ip: string): number {
    const now = performance.now()
    return Math.max(...addressGroups(ip).map((group, i) => this.wrongTokens.waitMs(group, now, shareOf(i))))
  }

  /** Counts a token that was wrong. */
  wrongToken(ip: string): void {
    const now = performance.now()
    for (const [i, group] of addressGroups(ip).entries()) this.wrongTokens.take(group, now, shareOf(i))
  }

  /** Counts a socket of an address; false when it has too many. */
  socketOpened(ip: string): boolean {
    const accounts = groupsIn(this.#strangers, ip, performance.now())
    const groups = addressGroups(ip)
    for (const [i, { sockets, times }] of accounts.entries()) {
      if (sockets + this.socketsElsewhere(groups[i] ?? '') >= this.#limits.socketsPerIp * times) {
        this.refused.socket++
        return false
      }
    }
    for (const account of accounts) account.sockets++
    return true
  }

  /** Undoes `socketOpened`. */
  socketClosed(ip: string): void {
    for (const account of groupsIn(this.#strangers, ip, performance.now())) account.sockets--
  }

  /** The first `max` address groups that have more than an eighth of the sockets they may have, with their number. */
  crowdedGroups(max: number): [group: string, sockets: number][] {
    const crowded: [string, number][] = []
    for (const [group, { sockets, times }] of this.#strangers.entries()) {
      if (sockets > (this.#limits.socketsPerIp * times) / 8 && crowded.push([group, sockets]) === max) break
    }
    return crowded
  }

  /** The allowance of a new connection. Call `release` when it is closed. */
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

  /** For every frame, before it is parsed. Inputs are counted apart from requests. */
  frame(allowance: Allowance, bytes: number, now: number, kind: 'requests' | 'inputs' = 'requests'): number {
    const waitMs = take(allowance.payers, kind, bytes, now)
    if (waitMs === 0) allowance.letThrough(bytes)
    else this.refused.frame++
    return waitMs
  }

  /** For every call of a definition with a limit. `keys` are those of `keysOf`. */
  call(limiter: MethodLimiter, keys: readonly string[], now: number): number {
    for (let i = 0; i < keys.length; i++) {
      const waitMs = limiter.take(keys[i] ?? '', now, shareOf(i))
      if (waitMs > 0) {
        this.refused.call++
        return waitMs
      }
    }
    return 0
  }

  /** Undoes a `call` that answered 0, for a request that turned out to be a retry. */
  takeBack(limiter: MethodLimiter, keys: readonly string[]): void {
    for (let i = 0; i < keys.length; i++) limiter.giveBack(keys[i] ?? '', shareOf(i))
  }

  /** How many users and addresses are remembered. */
  get size(): number {
    return this.#users.size + this.#strangers.size + this.#players.size
  }

  /** Forgets accounts with full buckets. Called several times a second. */
  sweep(now: number): void {
    for (const accounts of [this.#users, this.#strangers, this.#players]) accounts.sweep(now)
  }
}

/** What the limits of definitions count by: the user, else the address group and the /48 around it. */
export function keysOf({ user, ip }: Pick<Caller, 'user' | 'ip'>): readonly string[] {
  return user ? [user.id] : addressGroups(ip)
}

/** How many times more the key with this index may use than the first one. */
function shareOf(index: number): number {
  return index === 0 ? 1 : TIMES_WIDER
}

/** 0 when every account had enough. What the accounts before the refusing one gave is not given back. */
function take(payers: readonly Account[], kind: keyof Rates, bytes: number, now: number): number {
  for (const payer of payers) {
    const waitMs = payer[kind].take(1, now) || payer.bytes.take(bytes, now)
    if (waitMs > 0) return waitMs
  }
  return 0
}

/** The accounts of an address: of its group and, for IPv6, of its /48. */
function groupsIn(accounts: Accounts, ip: string, now: number): Account[] {
  const [group, wider] = addressGroups(ip)
  const own = accounts.get(group, now)
  return wider === undefined ? [own] : [own, accounts.get(wider, now, TIMES_WIDER)]
}

/** What `times` sockets may use together: at once a second's worth, but at least the burst of one socket. */
function ratesOf(limits: Limits, times: number): Rates {
  const share = (perSecond: number, burst: number): Rate => ({
    perSecond: perSecond * times,
    burst: times === 1 ? burst : Math.max(perSecond * times, burst),
  })
  const { upgradesPerSecond: perSecond, upgradesBurst: burst } = limits
  return {
    requests: share(limits.requestsPerSecond, limits.requestsBurst),
    inputs: share(limits.inputsPerSecond, limits.inputsPerSecond),
    bytes: share(limits.bytesPerSecond, Math.max(limits.bytesBurst, limits.frameBytes)),
    upgrades: { perSecond, burst },
    arrivals: { perSecond: perSecond * CONNECTIONS_PER_UPGRADE, burst: burst * CONNECTIONS_PER_UPGRADE },
  }
}

/**
 * What limits count as one address: an IPv4 address, or the /64 of an IPv6 address, which one subscriber has alone, and the
 * /48, which one site may hold. `ip` has IPv6 in its shortest form (RFC 5952), and an IPv4-mapped address as IPv4.
 */
export function addressGroups(ip: string): readonly [group: string, ...wider: string[]] {
  return ip.includes(':') ? [`${prefix(ip, 4)}::/64`, `${prefix(ip, 3)}::/48`] : [ip]
}

function prefix(ip: string, length: number): string {
  const [left = [], right = []] = ip.split('::').map((side) => (side === '' ? [] : side.split(':')))
  const zeros = Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...zeros, ...right].slice(0, length).join(':')
}
