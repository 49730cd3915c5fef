export type Headers = Readonly<Record<string, string | readonly string[]>>

/** Features of browsers that the page does not use. Those that are not named here are for the page alone, by default. */
const DENIED_FEATURES = [
  'accelerometer',
  'geolocation',
  'gyroscope',
  'hid',
  'idle-detection',
  'magnetometer',
  'midi',
  'payment',
  'serial',
  'usb',
  'xr-spatial-tracking',
]

/** What calls in rooms use. The browser still asks its user. */
const OWN_FEATURES = ['camera', 'display-capture', 'microphone']

/** A year, as browsers ask for (RFC 6797, 6.1.1). Hosts below this one are left out: they may not be Rally's. */
const STRICT_TRANSPORT: Headers = { 'Strict-Transport-Security': 'max-age=31536000' }

/**
 * The headers of every response, after OWASP's list of secure headers. A response replaces those that it has itself.
 * Cross-Origin-Embedder-Policy is left out: it would forbid pictures and sound of other hosts, for a feature that is not used.
 */
export function headersOfAll(publicUrl: string): Headers {
  return {
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': [
      ...DENIED_FEATURES.map((feature) => `${feature}=()`),
      ...OWN_FEATURES.map((feature) => `${feature}=(self)`),
    ].join(', '),
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    ...(new URL(publicUrl).protocol === 'https:' ? STRICT_TRANSPORT : {}),
  }
}

export const jsonHeaders: Headers = { 'Content-Type': 'application/json' }

/** The headers of the page and its files. The page loads from its own origin alone, and talks to its own server alone. */
export function pageHeaders(publicUrl: string): Headers {
  const { protocol, host } = new URL(publicUrl)
  const policy = [
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    // Images may also be made in the page.
    "img-src 'self' data: blob:",
    // Older Safari does not take 'self' for the socket.
    `connect-src 'self' ${protocol === 'https:' ? 'wss' : 'ws'}://${host}`,
    "object-src 'none'",
    "frame-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ]
  return { 'Content-Security-Policy': policy.join('; ') }
}
