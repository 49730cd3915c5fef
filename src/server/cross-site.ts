import type { Config } from '../config.ts'
import type { Exchange, Request } from './http.ts'
import type { Headers } from './security-headers.ts'

export type OriginCheck = (origin: string) => boolean

export const ORIGIN_REFUSED = 'This origin is not allowed: only those of PUBLIC_URL and ALLOWED_ORIGINS are'

/**
 * Whether a page of this origin may talk to the server with the user's cookie. A client without an origin is no browser.
 * Outside production the server's own port on this machine is allowed under each of its names.
 */
export function createOriginCheck(config: Config, port: () => number): OriginCheck {
  return (origin) => {
    if (origin === '' || config.allowedOrigins.has(origin)) return true
    if (config.production) return false
    return ['localhost', '127.0.0.1', '[::1]'].some((host) => origin === `http://${host}:${port()}`)
  }
}

/**
 * Whether another site sent this request. Browsers send no `Origin` with some requests, such as those of an image, but say in
 * `Sec-Fetch-Site` where they come from; other clients send neither.
 */
export function isForeign({ origin, fetchSite }: Request, isAllowedOrigin: OriginCheck): boolean {
  if (origin !== '') return !isAllowedOrigin(origin)
  return fetchSite === 'cross-site' || fetchSite === 'same-site'
}

/** For a page on an allowed origin other than the server's own. */
export function corsHeaders(origin: string): Headers {
  if (origin === '') return {}
  return { 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' }
}

/** Answers the preflight request of a page on an allowed origin. */
export function answerPreflight(exchange: Exchange, { origin }: Request, methods: string, headers: string): void {
  exchange.reply('204 No Content', {
    ...corsHeaders(origin),
    'Access-Control-Allow-Methods': methods,
    'Access-Control-Allow-Headers': headers,
    'Access-Control-Max-Age': '600',
  })
}
