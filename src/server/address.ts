import { isIP } from 'node:net'

/**
 * The client's address: the one the socket has, or with `hops` trusted proxies in front the entry of
 * `X-Forwarded-For` that the outermost of them wrote, counted from the right. Entries further left are the client's
 * own words.
 */
export function clientAddress(remote: ArrayBuffer, forwardedFor: string, hops: number): string {
  const own = fromBytes(new Uint8Array(remote))
  if (hops === 0 || forwardedFor === '') return own
  const entries = forwardedFor.split(',')
  const entry = entries[Math.max(0, entries.length - hops)] ?? ''
  return normalize(withoutPort(entry.trim())) ?? own
}

function fromBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[i * 2] ?? 0) << 8) | (bytes[i * 2 + 1] ?? 0)).toString(16),
  )
  return normalize(groups.join(':')) ?? '0.0.0.0'
}

/** IPv6 in its shortest form (RFC 5952), IPv4-mapped addresses as IPv4; undefined for what is no address. */
function normalize(text: string): string | undefined {
  const family = isIP(text)
  if (family === 4) return text
  if (family === 0 || text.includes('%')) return undefined
  const short = new URL(`http://[${text}]`).hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short) ?? []
  if (high === undefined || low === undefined) return short
  const bits = Number.parseInt(high, 16) * 0x10000 + Number.parseInt(low, 16)
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.')
}

/** `1.2.3.4:5`, `[::1]:5` and `[::1]` without what is not the address. */
function withoutPort(entry: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry
}
