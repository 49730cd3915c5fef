import { isIP } from 'node:net'

/** Variables by their names, as `process.env` is. */
export type Variables = Readonly<Record<string, string | undefined>>

/** The environment does not make a valid configuration. The message names every problem, a line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Reads variables one at a time, and collects what is wrong with them. An empty value counts as not set. */
export class Environment {
  readonly problems: string[] = []
  /** The names that were asked for. */
  readonly known = new Set<string>()
  readonly #refused = new Set<string>()
  readonly #lookUp: (name: string) => string | undefined

  constructor(lookUp: (name: string) => string | undefined) {
    this.#lookUp = lookUp
  }

  text(name: string): string | undefined {
    this.known.add(name)
    return this.#lookUp(name) || undefined
  }

  refuse(name: string, why: string): void {
    this.#refused.add(name)
    this.problems.push(`${name}: ${why}`)
  }

  isRefused(name: string): boolean {
    return this.#refused.has(name)
  }

  /** A whole number from `min` to `max`. */
  int<Fallback extends number | undefined>(name: string, fallback: Fallback, min: number, max: number) {
    const text = this.text(name)
    if (text === undefined) return fallback
    const value = Number(text)
    if (Number.isInteger(value) && value >= min && value <= max) return value
    this.refuse(name, `"${text}" is no whole number from ${min} to ${max}`)
    return fallback
  }

  /** A time that is given in seconds, in ms. */
  seconds(name: string, fallback: number, min: number, max: number): number {
    const value = Number(this.text(name) ?? fallback)
    if (value >= min && value <= max) return Math.round(value * 1_000)
    this.refuse(name, `"${this.text(name)}" is no number from ${min} to ${max}`)
    return fallback * 1_000
  }

  oneOf<Value extends string>(name: string, fallback: Value, values: readonly Value[]): Value {
    const text = this.text(name) ?? fallback
    const value = values.find((each) => each === text)
    if (value === undefined) this.refuse(name, `"${text}" is none of ${values.join(', ')}`)
    return value ?? fallback
  }

  url(name: string, protocol: RegExp, example: string): string | undefined {
    const text = this.text(name)
    if (text === undefined || (URL.canParse(text) && protocol.test(new URL(text).protocol))) return text
    // It may hold a password, so it is not repeated.
    this.refuse(name, `is no URL like ${example}`)
    return undefined
  }

  /** Addresses and CIDR blocks, separated by commas. */
  addresses(name: string, fallback: string): string[] {
    const parts = (this.text(name) ?? fallback).split(',').map((part) => part.trim())
    for (const part of parts) {
      const [address = '', length = '0', ...rest] = part.split('/')
      const isBlock =
        /^\d{1,3}$/.test(length) && Number(length) <= (isIP(address) === 4 ? 32 : 128) && rest.length === 0
      if (isIP(address) === 0 || address.includes('%') || !isBlock) {
        this.refuse(name, `"${part}" is no address and no block like 10.0.0.0/8`)
      }
    }
    return parts
  }
}
