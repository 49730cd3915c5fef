import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { pid } from 'node:process'
import type { AnyApi } from '../protocol/api.ts'
import type { ClientOptions } from './client.ts'
import { createClient as createBrowserClient, type Rally } from './create-client.ts'
import { endpointsOf, type SocketLike } from './handshake.ts'

/** The class `WebSocket` of the npm package `ws`. */
export type WsConstructor = new (
  url: string,
  protocols: string,
  options: { readonly headers: Readonly<Record<string, string>> },
) => SocketLike & {
  on(event: 'upgrade', listener: (response: { readonly headers: { 'set-cookie'?: string[] } }) => void): unknown
}

/** What a program signs in with: a session that it keeps in a file, or a token that its user has made. */
export type Credentials =
  | {
      /** Where the session is kept between two runs. Readable by its owner only; its folder is made where it is missing. */
      readonly cookieFile: string
      readonly token?: undefined
    }
  | {
      /** As `auth.createToken` gave it. The client closes when it is worth nothing any more. */
      readonly token: string
      readonly cookieFile?: undefined
    }

interface SocketOptions extends Omit<ClientOptions, 'WebSocket' | 'createSocket' | 'fetch' | 'url'> {
  readonly url: string | URL
  /** Needed where Node has none of its own (before Node 22). Default: the global one, which cannot renew a session. */
  readonly WebSocket?: WsConstructor
}

export type NodeClientOptions = SocketOptions & Credentials

/** What goes with every request. */
type Identity = Pick<CookieFile, 'header' | 'take'>

/**
 * `createClient` for programs in Node, which sign in with a token, or once: then the server's cookies are kept in a file.
 * @throws TypeError for an invalid address, or where there is no WebSocket; Error for a file that holds no cookies.
 */
export function createClient<Api extends AnyApi>(options: NodeClientOptions): Rally<Api> {
  const { cookieFile, token, WebSocket: Given, ...rest } = options
  const identity: Identity =
    token === undefined
      ? new CookieFile(cookieFile, new URL(endpointsOf(options.url).session).origin)
      : { header: { authorization: `Bearer ${token}` }, take: () => undefined }
  const createSocket = Given ? wsFactory(Given, identity) : globalFactory(identity)
  return createBrowserClient<Api>({
    endsWithSession: token !== undefined,
    ...rest,
    createSocket,
    async fetch(input, init) {
      const response = await fetch(input, { ...init, headers: { ...init?.headers, ...identity.header } })
      identity.take(response.headers.getSetCookie())
      return response
    },
  })
}

function wsFactory(Socket: WsConstructor, identity: Identity): NonNullable<ClientOptions['createSocket']> {
  return (url, protocol) => {
    const socket = new Socket(url, protocol, { headers: identity.header })
    // The server renews a session with the answer to the handshake.
    socket.on('upgrade', ({ headers }) => identity.take(headers['set-cookie'] ?? []))
    return socket
  }
}

/** Node's own WebSocket takes headers, which the standard does not have. */
type GlobalSocket = new (
  url: string,
  options: { readonly protocols: string; readonly headers: Readonly<Record<string, string>> },
) => SocketLike

function globalFactory(identity: Identity): NonNullable<ClientOptions['createSocket']> {
  const Socket: unknown = Reflect.get(globalThis, 'WebSocket')
  if (typeof Socket !== 'function') {
    throw new TypeError('This Node has no WebSocket: pass { WebSocket } of the npm package ws')
  }
  return (url, protocols) => new (Socket as GlobalSocket)(url, { protocols, headers: identity.header })
}

interface Cookie {
  readonly value: string
  /** Ms since the epoch; null for one that ends with the browser, and here with the session. */
  readonly expiresAt: number | null
}

type Cookies = Record<string, Cookie>

/** The cookies of one server, in a file that may hold those of several. */
class CookieFile {
  readonly #path: string
  readonly #origin: string
  #cookies: Cookies

  constructor(path: string, origin: string) {
    this.#path = path
    this.#origin = origin
    this.#cookies = readAll(path)[origin] ?? {}
  }

  /** The header to send: none without cookies. */
  get header(): Readonly<Record<string, string>> {
    const now = Date.now()
    const valid = Object.entries(this.#cookies).filter(([, { expiresAt }]) => expiresAt === null || expiresAt > now)
    return valid.length > 0 ? { cookie: valid.map(([name, { value }]) => `${name}=${value}`).join('; ') } : {}
  }

  /** Takes the `Set-Cookie` headers of a response, and writes the file if there are any. */
  take(lines: readonly string[]): void {
    if (lines.length === 0) return
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? []
      const maxAge = /;\s*max-age=(-?\d+)/i.exec(line)?.[1]
      if (maxAge !== undefined && Number(maxAge) <= 0) delete this.#cookies[name]
      else if (name !== '') {
        this.#cookies[name] = { value, expiresAt: maxAge === undefined ? null : Date.now() + Number(maxAge) * 1000 }
      }
    }
    writeAll(this.#path, { ...readAll(this.#path), [this.#origin]: this.#cookies })
  }
}

/** @throws Error for a file that cannot be read or does not hold cookies. */
function readAll(path: string): Record<string, Cookies> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw error
  }
  try {
    const all: unknown = JSON.parse(text)
    if (isCookies(all)) return all
  } catch {
    // The check below reports it, like JSON without cookies.
  }
  throw new Error(`${path} does not hold the cookies of a Rally client; delete it to sign in again`)
}

function isCookies(all: unknown): all is Record<string, Cookies> {
  const isRecord = (value: unknown): value is object => typeof value === 'object' && value !== null
  const isCookie = (cookie: unknown) => isRecord(cookie) && 'value' in cookie && 'expiresAt' in cookie
  const areCookies = (cookies: unknown) => isRecord(cookies) && Object.values(cookies).every(isCookie)
  return isRecord(all) && Object.values(all).every(areCookies)
}

/** Replaces the file at once, so that no reader meets half of it. */
function writeAll(path: string, all: Record<string, Cookies>): void {
  mkdirSync(dirname(path), { recursive: true })
  const next = `${path}.${pid}`
  writeFileSync(next, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 })
  renameSync(next, path)
}
