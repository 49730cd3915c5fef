/** What the client needs of a WebSocket; the browser's own and the one of npm `ws` fit. */
export interface SocketLike {
  binaryType: string
  readonly bufferedAmount: number
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { readonly code: number }) => void): void
  addEventListener(type: 'error', listener: () => void): void
}

export type SocketConstructor = new (url: string, protocols?: string | string[]) => SocketLike

/** Where one server's endpoints are. */
export interface Endpoints {
  /** `ws:` or `wss:`, ends in `/ws`. */
  readonly socket: string
  /** `http:` or `https:`, ends in `/session`. */
  readonly session: string
}

/**
 * Finds the endpoints from an address of the server: `http(s):`, `ws(s):`, or relative to the page. A path is kept,
 * for a server behind a prefix; a trailing `/` or `/ws` makes no difference.
 *
 * @throws TypeError for an address that is none, or a relative one where there is no page.
 */
export function endpointsOf(url: string | URL | undefined): Endpoints {
  const page = typeof location === 'undefined' ? undefined : location.href
  const base = new URL(url ?? '/', page)
  const secure = base.protocol === 'https:' || base.protocol === 'wss:'
  if (!secure && base.protocol !== 'http:' && base.protocol !== 'ws:') throw new TypeError(`Not a server: ${base.href}`)
  const place = `${secure ? 's' : ''}://${base.host}${base.pathname.replace(/\/(ws)?$/, '')}`
  return { socket: `ws${place}/ws`, session: `http${place}/session` }
}
