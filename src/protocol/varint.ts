const MAX_VARINT = 2 ** 32 - 1

/** How many bytes a number takes as an unsigned LEB128 varint: seven bits a byte, least significant first. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  return value < 0x1000_0000 ? 4 : 5
}

/** Answers where the next byte goes. */
export function writeVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start
  let left = value
  while (left >= 0x80) {
    bytes[at++] = (left & 0x7f) | 0x80
    left = Math.floor(left / 0x80)
  }
  bytes[at++] = left
  return at
}

/** At most 32 bits, without padding; -1 for anything else. */
export function readVarint(bytes: Uint8Array, start: number): number {
  let value = 0
  let unit = 1
  for (let at = start; at < start + 5; at++) {
    const byte = bytes[at]
    if (byte === undefined) return -1
    value += (byte & 0x7f) * unit
    unit *= 0x80
    if (byte < 0x80) return (byte === 0 && at > start) || value > MAX_VARINT ? -1 : value
  }
  return -1
}
