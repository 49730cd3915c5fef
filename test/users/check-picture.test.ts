import { crc32, deflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { BadPicture } from '../../src/modules/users/avatars/format.ts'
import { checkPicture, MAX_AVATAR_BYTES } from '../../src/modules/users/avatars/picture.ts'
import { JPEG, LOSSLESS_WEBP, LOSSY_WEBP, LOSSY_WEBP_WITH_ALPHA, PNG } from './pictures.ts'

const SCRIPT = '<script>alert(1)</script>'

function pngChunk(type: string, data: Buffer | string): Buffer {
  const body = Buffer.concat([Buffer.from(type), Buffer.from(data)])
  const bytes = Buffer.alloc(body.length + 8)
  bytes.writeUInt32BE(body.length - 4, 0)
  body.copy(bytes, 4)
  bytes.writeUInt32BE(crc32(body), body.length + 4)
  return bytes
}

/** A PNG of so many grey pixels; `more` stands before its pixels. */
function png({ width = 4, height = 4, interlace = 0, more = [] as Buffer[], rows = 0, behind = '' } = {}): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 0, 0, 0, interlace], 8)
  const pixels = Buffer.alloc(rows || height * (1 + width))
  return Buffer.concat([
    PNG.subarray(0, 8),
    pngChunk('IHDR', header),
    ...more,
    pngChunk('IDAT', Buffer.concat([deflateSync(pixels), Buffer.from(behind)])),
    pngChunk('IEND', ''),
  ])
}

function jpegSegment(marker: number, data: string): Buffer {
  const bytes = Buffer.from([0xff, marker, 0, 0, ...Buffer.from(data)])
  bytes.writeUInt16BE(data.length + 2, 2)
  return bytes
}

/** A JPEG with this segment after its beginning. */
const jpegWith = (segment: Buffer) => Buffer.concat([JPEG.subarray(0, 2), segment, JPEG.subarray(2)])

/** The JPEG with its scan so many times. */
function jpegOfScans(count: number): Buffer {
  const scan = JPEG.indexOf(Buffer.from([0xff, 0xda]))
  const scans = Array<Buffer>(count).fill(JPEG.subarray(scan, -2))
  return Buffer.concat([JPEG.subarray(0, scan), ...scans, JPEG.subarray(-2)])
}

/** A WebP with this chunk behind the others. */
function webpWith(picture: Buffer, type: string, data: string): Buffer {
  const chunk = Buffer.concat([Buffer.from(type), Buffer.alloc(4), Buffer.from(data)])
  chunk.writeUInt32LE(data.length, 4)
  const bytes = Buffer.concat([picture, chunk])
  bytes.writeUInt32LE(bytes.length - 8, 4)
  return bytes
}

test.each([
  ['a PNG', PNG, 'image/png'],
  ['an interlaced PNG', png({ interlace: 1, rows: 23 }), 'image/png'],
  ['a JPEG', JPEG, 'image/jpeg'],
  ['a JPEG with many scans', jpegOfScans(64), 'image/jpeg'],
  ['a lossy WebP', LOSSY_WEBP, 'image/webp'],
  ['a lossless WebP', LOSSLESS_WEBP, 'image/webp'],
  ['a lossy WebP with alpha', LOSSY_WEBP_WITH_ALPHA, 'image/webp'],
])('%s is taken, and what comes out is taken as it is', async (_, bytes, type) => {
  const picture = await checkPicture(bytes)
  expect(picture.type).toBe(type)
  expect(picture.bytes.includes('Google')).toBe(false)
  expect((await checkPicture(picture.bytes)).bytes.equals(picture.bytes)).toBe(true)
})

test.each([
  ['text in a PNG', png({ more: [pngChunk('tEXt', SCRIPT), pngChunk('eXIf', SCRIPT)] })],
  ['what follows the end of a PNG', Buffer.concat([PNG, Buffer.from(SCRIPT)])],
  ['what follows the pixels of a PNG', png({ behind: SCRIPT })],
  ['metadata of a JPEG', jpegWith(jpegSegment(0xe1, `Exif\0\0${SCRIPT}`))],
  ['a comment in a JPEG', jpegWith(jpegSegment(0xfe, SCRIPT))],
  ['what follows the end of a JPEG', Buffer.concat([JPEG, Buffer.from(SCRIPT)])],
  ['metadata of a WebP', webpWith(LOSSY_WEBP, 'EXIF', SCRIPT)],
  ['an unknown chunk of a WebP', webpWith(LOSSLESS_WEBP, 'junk', SCRIPT)],
  ['what follows the end of a WebP', Buffer.concat([LOSSY_WEBP, Buffer.from(SCRIPT)])],
])('%s is left out', async (_, bytes) => {
  expect((await checkPicture(bytes)).bytes.includes(SCRIPT)).toBe(false)
})

const broken = Buffer.from(PNG)
broken[30] = 1 ^ (broken[30] ?? 0)

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a page', Buffer.from(`<html>${SCRIPT}`)],
  ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
  ['a GIF', Buffer.from('GIF89a')],
  ['a PNG in name only', Buffer.concat([PNG.subarray(0, 8), Buffer.from(SCRIPT)])],
  ['half a PNG', PNG.subarray(0, PNG.length / 2)],
  ['a PNG with a wrong checksum', broken],
  ['a PNG with fewer pixels than it says', png({ rows: 7 })],
  ['a PNG with more pixels than it says', png({ rows: 4_000_000 })],
  ['a PNG with an unknown critical chunk', png({ more: [pngChunk('ABCD', '')] })],
  ['a PNG that is too wide', png({ width: 1025 })],
  ['a PNG without a size', png({ width: 0 })],
  ['half a JPEG', JPEG.subarray(0, JPEG.length / 2)],
  ['a JPEG with a longer table', jpegWith(jpegSegment(0xdb, `\0${'a'.repeat(64)}${SCRIPT}`))],
  ['a JPEG with so many scans that it takes long to show', jpegOfScans(65)],
  ['a JPEG in name only', Buffer.from([0xff, 0xd8, ...Buffer.from(SCRIPT)])],
  ['a JPEG without a picture', Buffer.from([0xff, 0xd8, 0xff, 0xd9])],
  ['half a WebP', LOSSY_WEBP.subarray(0, LOSSY_WEBP.length / 2)],
  ['a WebP with two pictures', webpWith(LOSSY_WEBP, 'VP8L', SCRIPT)],
  ['a WebP that moves', webpWith(LOSSY_WEBP, 'ANIM', SCRIPT)],
  ['a WebP in name only', Buffer.from(`RIFF\x1a\0\0\0WEBP${SCRIPT}`, 'latin1')],
  ['more than 256 KiB', Buffer.concat([PNG, Buffer.alloc(MAX_AVATAR_BYTES)])],
])('%s is refused', async (_, bytes) => {
  await expect(checkPicture(bytes)).rejects.toThrow(BadPicture)
})

test('bytes that were changed by chance are refused or become another picture', async () => {
  let state = 7
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 1
    return state % below
  }
  for (const original of [PNG, JPEG, LOSSY_WEBP, LOSSLESS_WEBP, LOSSY_WEBP_WITH_ALPHA]) {
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.from(original)
      for (let change = 0; change < 3; change++) bytes[random(bytes.length)] = random(256)
      const picture = await checkPicture(bytes).catch((error: unknown) => error)
      if (picture instanceof Error) expect(picture).toBeInstanceOf(BadPicture)
    }
  }
})
