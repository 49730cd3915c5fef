import { BlockList, isIP } from 'node:net'

/** Tells whether a connection comes from a proxy that may say who its client is. */
export type ProxyCheck = (peer: string) => boolean

/** `blocks` are addresses and CIDR blocks. Without hops nobody is a proxy. */
export function createProxyCheck(hops: number, blocks: readonly string[]): ProxyCheck {
  if (hops === 0) return () => false
  const proxies = new BlockList()
  for (const block of blocks) {
    const [address = '', length] = block.split('/')
    const family = familyOf(address)
    if (length === undefined) proxies.addAddress(address, family)
    else proxies.addSubnet(address, Number(length), family)
  }
  return (peer) => proxies.check(peer, familyOf(peer))
}

const familyOf = (address: string) => (address.includes(':') ? 'ipv6' : 'ipv4')

/**
 * The client's address. With `hops` proxies in front it is the entry of `X-Forwarded-For` that the outermost proxy wrote,
 * counted from the right: entries further left come from the client. A header with fewer entries did not pass all proxies, so
 * the client may have written it. Then the address of the connection counts.
 *
 * @param peer the address of the connection, which is the innermost proxy's
 */
export function clientAddress(peer: string, forwardedFor: string, hops: number): string {
  if (hops === 0 || forwardedFor === '') return peer
  const entry = forwardedFor.split(',').at(-hops)
  return (entry === undefined ? undefined : normalize(withoutPort(entry.trim()))) ?? peer
}

/** The text of an address that uWebSockets.js gives in bytes: IPv6 in its shortest form, IPv4-mapped addresses as IPv4. */
export function addressOf(buffer: ArrayBuffer): string {
  const bytes = new Uint8Array(buffer)
  if (bytes.length === 4) return bytes.join('.')
  if (isMapped(bytes)) return bytes.subarray(12).join('.')
  const groups = Buffer.from(buffer).toString('hex').match(/.{4}/g)
  return normalize(groups?.join(':') ?? '') ?? '0.0.0.0'
}

/** `::ffff:0:0/96`: how a server that listens on both families sees IPv4 clients. */
function isMapped(bytes: Uint8Array): boolean {
  return bytes[10] === 255 && bytes[11] === 255 && bytes.subarray(0, 10).every((byte) => byte === 0)
}

/** IPv6 in its shortest form (RFC 5952), IPv4-mapped addresses as IPv4; undefined if the text is no address. */
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

/** The address in `1.2.3.4:5`, `[::1]:5` and `[::1]`. */
function withoutPort(entry: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry
}
