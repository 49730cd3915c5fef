export type Headers = Readonly<Record<string, string | readonly string[]>>

/** A year, as browsers ask for (RFC 6797, 6.1.1). Hosts below this one are left out: they may not be Rally's. */
const STRICT_TRANSPORT: Headers = { 'Strict-Transport-Security': 'max-age=31536000' }

/** The headers of every response. */
export function headersOfAll(publicUrl: string): Headers {
  return new URL(publicUrl).protocol === 'https:' ? STRICT_TRANSPORT : {}
}

/** The headers of JSON. */
export const jsonHeaders: Headers = {
  'Content-Type': 'application/json',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
}

/** The headers of the page and its files. The page loads from its own origin alone, and talks to its own server alone. */
export function pageHeaders(publicUrl: string): Headers {
  const { protocol, host } = new URL(publicUrl)
  const policy = [
    "default-src 'self'",
    // Images may also be made in the page.
    "img-src 'self' data: blob:",
    // Older Safari does not take 'self' for the socket.
    `connect-src 'self' ${protocol === 'https:' ? 'wss' : 'ws'}://${host}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ]
  return {
    'Content-Security-Policy': policy.join('; '),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
  }
}
