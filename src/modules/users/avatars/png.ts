import { promisify } from 'node:util'
import { crc32, deflate, inflate } from 'node:zlib'
import { BadPicture, checkSides, type Read } from './format.ts'

// PNG, third edition: https://www.w3.org/TR/png-3/

const compress = promisify<Buffer, { level: number }, Buffer>(deflate)
const decompress = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate)

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
/** Samples of a pixel by colour type, and the depths that it may have (11.2.1). */
const COLOURS: Readonly<Record<number, { readonly samples: number; readonly depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
}
/** Where the seven passes of an interlaced picture begin, and their steps: x, y, dx, dy (8.1). */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const

/** Keeps header, palette, transparency and pixels. The pixels are compressed again, so nothing hides among them. */
export async function readPng(bytes: Buffer): Promise<Read> {
  const chunks = readChunks(bytes)
  const header = chunks[0]
  if (header?.type !== 'IHDR' || header.data.length !== 13) throw broken()
  const { rows, maxPalette } = readHeader(header.data)
  const palette = only(chunks, 'PLTE')
  const transparency = only(chunks, 'tRNS')
  if (palette && (palette.length % 3 !== 0 || palette.length > 768)) throw broken()
  if (maxPalette !== null && (!palette || palette.length > 3 * maxPalette)) throw broken()
  if (transparency && transparency.length > 256) throw broken()

  const length = rows.reduce((sum, { count, size }) => sum + count * (1 + size), 0)
  const compressed = Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data))
  const pixels = await decompress(compressed, { maxOutputLength: length }).catch(() => {
    throw broken()
  })
  if (pixels.length !== length) throw broken()
  checkFilters(pixels, rows)
  return {
    parts: [
      SIGNATURE,
      chunk('IHDR', header.data),
      ...(palette ? [chunk('PLTE', palette)] : []),
      ...(transparency ? [chunk('tRNS', transparency)] : []),
      chunk('IDAT', await compress(pixels, { level: 9 })),
      chunk('IEND', Buffer.alloc(0)),
    ],
  }
}

interface Chunk {
  readonly type: string
  readonly data: Buffer
}

/** Up to `IEND`: what stands behind it is left out. */
function readChunks(bytes: Buffer): Chunk[] {
  const chunks: Chunk[] = []
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const end = at + 12 + bytes.readUInt32BE(at)
    if (end > bytes.length) break
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (bytes.readUInt32BE(end - 4) !== crc32(bytes.subarray(at + 4, end - 4))) throw broken()
    const isKnown = ['IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS'].includes(type)
    // A capital: the picture cannot be shown without this chunk (5.4).
    if (!isKnown && /^[A-Z]/.test(type)) throw broken()
    if (type === 'IEND') return chunks
    if (isKnown) chunks.push({ type, data: bytes.subarray(at + 8, end - 4) })
    at = end
  }
  throw broken()
}

function readHeader(data: Buffer) {
  const [width, height] = [data.readUInt32BE(0), data.readUInt32BE(4)]
  checkSides(width, height)
  const [depth = 0, colour = 0, compression, filter, interlace = 0] = data.subarray(8)
  const known = COLOURS[colour]
  if (!known?.depths.includes(depth) || compression !== 0 || filter !== 0 || interlace > 1) throw broken()
  const sizeOf = (pixels: number) => Math.ceil((pixels * known.samples * depth) / 8)
  const passes = interlace === 1 ? ADAM7 : [[0, 0, 1, 1] as const]
  const rows = passes.flatMap(([x, y, dx, dy]) => {
    const [across, down] = [Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)]
    return across > 0 && down > 0 ? [{ count: down, size: sizeOf(across) }] : []
  })
  return { rows, maxPalette: colour === 3 ? 2 ** depth : null }
}

/** Every row begins with one of five filters (9.2). */
function checkFilters(pixels: Buffer, rows: readonly { readonly count: number; readonly size: number }[]): void {
  let at = 0
  for (const { count, size } of rows) {
    for (let row = 0; row < count; row++, at += 1 + size) if ((pixels[at] ?? 5) > 4) throw broken()
  }
}

function only(chunks: readonly Chunk[], type: string): Buffer | undefined {
  const found = chunks.filter((each) => each.type === type)
  if (found.length > 1) throw broken()
  return found[0]?.data
}

function chunk(type: string, data: Buffer): Buffer {
  const bytes = Buffer.alloc(12 + data.length)
  bytes.writeUInt32BE(data.length, 0)
  bytes.write(type, 4, 'latin1')
  data.copy(bytes, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length)
  return bytes
}

function broken(): BadPicture {
  return new BadPicture('this PNG is broken, or of a kind that is not taken')
}
