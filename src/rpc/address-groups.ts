/**
 * What limits count as one address: an IPv4 address, or the /64 of an IPv6 address, which one subscriber has alone. `ip` is
 * as the transport writes it: IPv6 in its shortest form (RFC 5952), an IPv4-mapped address as IPv4.
 */
export function addressGroup(ip: string): string {
  return ip.includes(':') ? `${prefix(ip, 4)}::/64` : ip
}

/** The /48 of an IPv6 address, which one site may hold as a whole; null for an IPv4 address. */
export function widerGroup(ip: string): string | null {
  return ip.includes(':') ? `${prefix(ip, 3)}::/48` : null
}

function prefix(ip: string, length: number): string {
  const [left = [], right = []] = ip.split('::').map((side) => (side === '' ? [] : side.split(':')))
  const zeros = Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...zeros, ...right].slice(0, length).join(':')
}
