import { answerError, type RallyError } from './errors.ts'

/** What the client needs of a WebSocket. The browser's own fits, and the one of the npm package `ws`. */
export interface SocketLike {
  binaryType: string
  readonly bufferedAmount: number
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { readonly code: number; readonly reason?: string }) => void): void
  addEventListener(type: 'error', listener: () => void): void
}

export type SocketConstructor = new (url: string, protocols?: string | string[]) => SocketLike

/**
 * The endpoints of an address: `http(s):`, `ws(s):`, or relative to the page. A path is kept but for a trailing `/ws`.
 * `handshake` is `socket` by HTTP. @throws TypeError for an invalid address, or a relative one where there is no page.
 */
export function endpointsOf(url: string | URL | undefined) {
  const page = typeof location === 'undefined' ? undefined : location.href
  const base = new URL(url ?? '/', page)
  const secure = base.protocol === 'https:' || base.protocol === 'wss:'
  if (!secure && base.protocol !== 'http:' && base.protocol !== 'ws:') throw new TypeError(`Not a server: ${base.href}`)
  const place = `${secure ? 's' : ''}://${base.host}${base.pathname.replace(/\/(ws)?$/, '')}`
  return { socket: `ws${place}/ws`, handshake: `http${place}/ws`, session: `http${place}/session` }
}

const UPGRADE_REQUIRED = 426

/** Asks over HTTP why a handshake failed; null if the server would take one now, or cannot be reached. */
export async function whyRefused(url: string, request: typeof fetch, timeoutMs: number): Promise<RallyError | null> {
  try {
    // With POST a browser names the origin of its own pages too, as it does in a handshake.
    const signal = AbortSignal.timeout(timeoutMs)
    const response = await request(url, { method: 'POST', credentials: 'omit', signal })
    if (response.ok || response.status === UPGRADE_REQUIRED) return null
    const { error, data } = (await response.json()) as { error?: unknown; data?: unknown }
    return typeof error === 'string' ? answerError(error, data) : null
  } catch {
    return null
  }
}
