import type { Config } from '../../src/config.ts'
import { codeOf, type Player } from './server.ts'

/** Where somebody can read what a server says about itself, with the text. */
export interface Exposed {
  readonly where: string
  readonly text: string
}

/** Short or plain words, which may be a part of others: they count where they stand alone. */
type Word = 'code' | 'name'
type Kind = Word | 'authenticator secret' | 'recovery code' | 'ticket' | 'cookie' | 'setting'

const WORDS: readonly Kind[] = ['code', 'name']
/** A shorter secret is found in too much that is none. */
const MIN_LENGTH = 8

/** Names under which the protocol carries secrets and names. */
const KINDS: Readonly<Record<string, Kind>> = {
  code: 'code',
  username: 'name',
  displayName: 'name',
  secret: 'authenticator secret',
  otpauthUrl: 'authenticator secret',
  recoveryCode: 'recovery code',
  recoveryCodes: 'recovery code',
  token: 'ticket',
  challenge: 'ticket',
}

/** The secrets that were used in a run, which nothing may show: those of the settings, and those that went over the wire. */
export class Secrets {
  readonly #kinds = new Map<string, Kind>()

  get size(): number {
    return this.#kinds.size
  }

  add(kind: Kind, value: string): void {
    if (value.length >= MIN_LENGTH || (WORDS.includes(kind) && value !== '')) this.#kinds.set(value, kind)
  }

  addPlayer({ username, cookie, secret, recoveryCodes }: Player): void {
    this.add('name', username)
    this.addCookies(cookie)
    this.add('authenticator secret', secret)
    for (const steps of [-1, 0, 1]) this.add('code', codeOf(secret, steps))
    for (const code of recoveryCodes) this.add('recovery code', code)
  }

  /** `header` is a `Cookie` header. */
  addCookies(header: string): void {
    for (const pair of header.split('; ')) this.add('cookie', pair.slice(pair.indexOf('=') + 1))
  }

  /** Takes the secrets from a frame, in either direction, or from the body of a request. */
  addFrame(frame: string): void {
    try {
      this.#read('', JSON.parse(frame))
    } catch {
      // A binary frame of live inputs.
    }
  }

  addConfig({ secrets, databaseUrl, metricsToken = '' }: Config): void {
    for (const key of [secrets.ticket, secrets.cookie]) this.add('setting', new TextDecoder().decode(key))
    for (const { key } of secrets.encryption) {
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        this.add('setting', Buffer.from(key).toString(encoding))
      }
    }
    if (databaseUrl !== undefined) this.add('setting', decodeURIComponent(new URL(databaseUrl).password))
    this.add('setting', metricsToken)
  }

  /** A line for each secret that stands in `exposed`. */
  findIn(exposed: readonly Exposed[]): string[] {
    const found: string[] = []
    for (const { where, text } of exposed) {
      const words = new Set(wordsOf(text))
      for (const [value, kind] of this.#kinds) {
        const isThere = WORDS.includes(kind) ? words.has(value.toLowerCase()) : text.includes(value)
        if (isThere) found.push(`the ${kind} ${value} stands in ${where}: ${text.slice(0, 500)}`)
      }
    }
    return found
  }

  #read(name: string, value: unknown): void {
    const kind = KINDS[name]
    if (typeof value === 'string' && kind) this.add(kind, value)
    if (typeof value !== 'object' || value === null) return
    // The elements of an array have its name.
    for (const [key, each] of Object.entries(value)) this.#read(Array.isArray(value) ? name : key, each)
  }
}

/** The words in all texts of a JSON value, or in a text that is no JSON. Numbers are no words: some are process ids. */
function wordsOf(text: string): string[] {
  let value: unknown = text
  try {
    value = JSON.parse(text)
  } catch {}
  const words: string[] = []
  const read = (each: unknown): void => {
    if (typeof each === 'string') words.push(...(each.toLowerCase().match(/[a-z0-9_]+/g) ?? []))
    else if (typeof each === 'object' && each !== null) {
      for (const [key, inner] of Object.entries(each)) {
        read(key)
        read(inner)
      }
    }
  }
  read(value)
  return words
}
