import { addressGroups } from '../../../rpc/index.ts'
import type { Budget } from './attempt-counters.ts'

export interface AddressLimits {
  /** Attempts of one address group in five minutes: `LIMIT_AUTH_PER_IP`. */
  readonly perAddress: number
  /** Wrong codes from unknown devices in an hour, of the whole installation: `LIMIT_WRONG_CODES_PER_HOUR`. */
  readonly guessesPerHour: number
}

const ADDRESS_WINDOW_MS = 5 * 60_000
const GUESS_WINDOW_MS = 60 * 60_000
/** Wrong codes of an address group in an hour, as a share of its attempts in five minutes. */
const GUESS_SHARE = 1 / 5
/** A /48 has this many times the attempts and the wrong codes of one of its groups. */
const WIDER = { attempts: 4, guesses: 2 }
/** Counts the wrong codes from all unknown devices at all names. */
export const ALL_GUESSES = 'guess:all'

/** The attempts of an address group, and of the /48 around it. */
export function addressBudgets(ip: string, { perAddress }: AddressLimits): Budget[] {
  return groupBudgets('ip', ip, perAddress, WIDER.attempts, ADDRESS_WINDOW_MS)
}

/** The wrong codes of an address group, of the /48 around it, and of the installation. */
export function guessBudgets(ip: string, { perAddress, guessesPerHour }: AddressLimits): Budget[] {
  const own = groupBudgets('guess', ip, Math.ceil(perAddress * GUESS_SHARE), WIDER.guesses, GUESS_WINDOW_MS)
  return [...own, { key: ALL_GUESSES, rule: { limit: guessesPerHour, windowMs: GUESS_WINDOW_MS } }]
}

/** An IPv4 address, or a /48 of IPv6, because one site may use all addresses of a /48. */
export function networkOf(ip: string): string {
  const [group, wider = group] = addressGroups(ip)
  return wider
}

function groupBudgets(kind: string, ip: string, limit: number, widerTimes: number, windowMs: number): Budget[] {
  const [group, wider] = addressGroups(ip)
  return [
    { key: `${kind}:${group}`, rule: { limit, windowMs } },
    ...(wider ? [{ key: `${kind}:${wider}`, rule: { limit: limit * widerTimes, windowMs } }] : []),
  ]
}
