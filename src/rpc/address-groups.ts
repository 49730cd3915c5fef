/**
 * What limits count as one address: an IPv4 address, or the /64 of an IPv6 address, which one subscriber has alone. The
 * second group is the /48 of an IPv6 address, which one site may hold as a whole. `ip` is as the transport writes it: IPv6
 * in its shortest form (RFC 5952), an IPv4-mapped address as IPv4.
 */
export function addressGroups(ip: string): readonly [group: string, ...wider: string[]] {
  return ip.includes(':') ? [`${prefix(ip, 4)}::/64`, `${prefix(ip, 3)}::/48`] : [ip]
}

function prefix(ip: string, length: number): string {
  const [left = [], right = []] = ip.split('::').map((side) => (side === '' ? [] : side.split(':')))
  const zeros = Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...zeros, ...right].slice(0, length).join(':')
}
