import { BadPicture, checkSides, type Read } from './format.ts'

// ITU-T T.81, annex B: https://www.w3.org/Graphics/JPEG/itu-t81.pdf

const SOI = Buffer.from([0xff, 0xd8])
const EOI = Buffer.from([0xff, 0xd9])

/** Checks the length of each kind of segment that a picture consists of: they have no room for anything else. */
const KEPT: Readonly<Record<number, (data: Buffer) => boolean>> = {
  // Frames: baseline, extended and progressive, of 8 bits, grey or in three colours.
  192: isFrame,
  193: isFrame,
  194: isFrame,
  // DHT: 16 counts, and as many values.
  196: (data) => isRepeated(data, (at) => 17 + data.subarray(at + 1, at + 17).reduce((sum, count) => sum + count, 0)),
  // SOS
  218: (data) => data[0] !== undefined && data[0] >= 1 && data[0] <= 3 && data.length === 4 + 2 * data[0],
  // DQT: 64 values of one byte or two.
  219: (data) => isRepeated(data, (at) => 1 + ((data[at] ?? 0) >> 4 === 0 ? 64 : 128)),
  // DRI
  221: (data) => data.length === 2,
}
const ADOBE = 238
const SCAN = 218
const END = 217
const FRAMES = [192, 193, 194]
/** A progressive picture has about ten. A browser draws the whole picture anew for each. */
const MAX_SCANS = 64

/** Keeps tables, frames and scans. Adobe's marker tells how the colours are stored. Metadata and comments are left out. */
export function readJpeg(bytes: Buffer): Read {
  const parts: Uint8Array[] = [SOI]
  let frames = 0
  let scans = 0
  for (let at = SOI.length; at + 1 < bytes.length; ) {
    if (bytes[at] !== 0xff) throw broken()
    const marker = bytes[at + 1] ?? 0
    if (marker === 0xff) {
      at++
      continue
    }
    if (marker === END) {
      if (frames !== 1 || scans === 0) throw broken()
      return { parts: [...parts, EOI] }
    }
    if (at + 4 > bytes.length) throw broken()
    const end = at + 2 + bytes.readUInt16BE(at + 2)
    const data = bytes.subarray(at + 4, end)
    if (end < at + 4 || end > bytes.length) throw broken()
    const isLeftOut = (marker >= 224 && marker <= 239) || marker === 254
    const isAdobe = marker === ADOBE && data.length === 12 && data.toString('latin1', 0, 5) === 'Adobe'
    if (!isLeftOut && KEPT[marker]?.(data) !== true) throw broken()
    if (FRAMES.includes(marker)) frames++
    if (!isLeftOut || isAdobe) parts.push(bytes.subarray(at, end))
    at = end
    if (marker === SCAN) {
      if (frames !== 1) throw broken()
      if (++scans > MAX_SCANS) throw broken()
      at = endOfScan(bytes, end)
      parts.push(bytes.subarray(end, at))
    }
  }
  throw broken()
}

/** A scan goes on to the next marker that is no restart. In it a byte 0xff is followed by 0 (B.1.1.5). */
function endOfScan(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0
    const isRestart = next >= 208 && next <= 215
    if (next !== 0 && !isRestart && next !== 0xff) return at
  }
  throw broken()
}

function isFrame(data: Buffer): boolean {
  const [precision, , , , , components = 0] = data
  if (data.length < 6 || precision !== 8 || (components !== 1 && components !== 3)) return false
  checkSides(data.readUInt16BE(3), data.readUInt16BE(1))
  return data.length === 6 + 3 * components
}

/** Whether parts of these lengths fill it exactly. */
function isRepeated(data: Buffer, lengthAt: (at: number) => number): boolean {
  let at = 0
  while (at < data.length) at += lengthAt(at)
  return at > 0 && at === data.length
}

function broken(): BadPicture {
  return new BadPicture('this JPEG is broken, or of a kind that is not taken')
}
