import { BadPicture, checkSides, type Read } from './format.ts'

// RFC 9649

/** The flag of `VP8X` that there is an alpha channel. */
const ALPHA = 0x10

/** Keeps the one bitstream, and the alpha channel beside a lossy one. An animation is refused. */
export function readWebp(bytes: Buffer): Read {
  const chunks = readChunks(bytes)
  if (chunks.has('ANIM') || chunks.has('ANMF')) throw new BadPicture('a picture does not move')
  const [lossy, lossless, alpha] = [chunks.get('VP8 '), chunks.get('VP8L'), chunks.get('ALPH')]
  const size = lossy && !lossless ? lossySize(lossy) : lossless && !lossy && !alpha ? losslessSize(lossless) : undefined
  if (!size) throw broken()
  checkSides(size.width, size.height)
  const extended = chunks.get('VP8X')
  if (extended) {
    const isSame = extended.length === 10 && extended.readUIntLE(4, 3) === size.width - 1
    if (!isSame || extended.readUIntLE(7, 3) !== size.height - 1) throw broken()
  }
  if (lossless) return { parts: riff([chunk('VP8L', lossless)]) }
  if (!lossy) throw broken()
  if (!alpha) return { parts: riff([chunk('VP8 ', lossy)]) }
  const header = Buffer.alloc(10)
  header[0] = ALPHA
  header.writeUIntLE(size.width - 1, 4, 3)
  header.writeUIntLE(size.height - 1, 7, 3)
  return { parts: riff([chunk('VP8X', header), chunk('ALPH', alpha), chunk('VP8 ', lossy)]) }
}

/** The chunks within the length that the file names, each kind once. */
function readChunks(bytes: Buffer): Map<string, Buffer> {
  const length = bytes.length < 12 ? 0 : 8 + bytes.readUInt32LE(4)
  if (length < 12 || length > bytes.length) throw broken()
  const chunks = new Map<string, Buffer>()
  for (let at = 12; at < length; ) {
    if (at + 8 > length) throw broken()
    const type = bytes.toString('latin1', at, at + 4)
    const end = at + 8 + bytes.readUInt32LE(at + 4)
    if (end > length || chunks.has(type)) throw broken()
    chunks.set(type, bytes.subarray(at + 8, end))
    at = end + (end % 2)
  }
  return chunks
}

/** A key frame of VP8 (RFC 6386, 9.1). */
function lossySize(data: Buffer) {
  if (data.length < 10 || data.readUIntBE(3, 3) !== 0x9d012a) return undefined
  const tag = data.readUIntLE(0, 3)
  const isKeyFrame = (tag & 1) === 0
  const firstPartition = tag >> 5
  if (!isKeyFrame || 10 + firstPartition > data.length) return undefined
  return { width: data.readUInt16LE(6) & 0x3fff, height: data.readUInt16LE(8) & 0x3fff }
}

/** RFC 9649, 3.4 */
function losslessSize(data: Buffer) {
  if (data.length < 5 || data[0] !== 0x2f) return undefined
  const bits = data.readUInt32LE(1)
  if (bits >>> 29 !== 0) return undefined
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
}

function riff(chunks: readonly Buffer[]): Buffer[] {
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1')
  head.writeUInt32LE(4 + chunks.reduce((sum, { length }) => sum + length, 0), 4)
  return [head, ...chunks]
}

function chunk(type: string, data: Buffer): Buffer {
  const bytes = Buffer.alloc(8 + data.length + (data.length % 2))
  bytes.write(type, 0, 'latin1')
  bytes.writeUInt32LE(data.length, 4)
  data.copy(bytes, 8)
  return bytes
}

function broken(): BadPicture {
  return new BadPicture('this WebP is broken, or of a kind that is not taken')
}
