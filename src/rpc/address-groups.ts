/**
 * What limits count as one address: an IPv4 address, or the /64 that one IPv6 subscriber has to itself. An IPv4 address
 * written as an IPv6 one (RFC 4291, 2.5.5.2) is that IPv4 address.
 */
export function addressGroup(ip: string): string {
  if (!ip.includes(':')) return ip
  const groups = groupsOf(ip)
  return mappedIpv4(groups) ?? `${prefix(groups, 4)}::/64`
}

/** The /48 of an IPv6 address, which one site may hold as a whole; null for an IPv4 address. */
export function widerGroup(ip: string): string | null {
  if (!ip.includes(':')) return null
  const groups = groupsOf(ip)
  return mappedIpv4(groups) === null ? `${prefix(groups, 3)}::/48` : null
}

function prefix(groups: readonly number[], length: number): string {
  return groups
    .slice(0, length)
    .map((group) => group.toString(16))
    .join(':')
}

/** Null where the eight groups are no IPv4-mapped address. */
function mappedIpv4(groups: readonly number[]): string | null {
  const [, , , , , marker, high = 0, low = 0] = groups
  if (marker !== 0xffff || groups.slice(0, 5).some((group) => group !== 0)) return null
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}

/** The eight groups of a valid IPv6 address (RFC 4291, 2.2). */
function groupsOf(ip: string): number[] {
  const plain = ip
    .replace(/%.*$/, '')
    .replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) =>
      [parts.slice(0, 2), parts.slice(2, 4)].map((pair) => pair.map(toHexByte).join('')).join(':'),
    )
  const [left = [], right] = plain.split('::').map((side) => (side === '' ? [] : side.split(':')))
  const zeros = right ? Array<string>(8 - left.length - right.length).fill('0') : []
  return [...left, ...zeros, ...(right ?? [])].map((group) => Number.parseInt(group, 16))
}

function toHexByte(decimal: string): string {
  return Number(decimal).toString(16).padStart(2, '0')
}
