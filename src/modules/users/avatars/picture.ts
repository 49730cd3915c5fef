import { BadPicture, type Read } from './format.ts'
import { readJpeg } from './jpeg.ts'
import { readPng } from './png.ts'
import { readWebp } from './webp.ts'

/** The most that a picture may have, as it is uploaded. */
export const MAX_AVATAR_BYTES = 256 * 1024
/** PNG is compressed again, which may cost some bytes. */
const MAX_STORED_BYTES = 2 * MAX_AVATAR_BYTES

export type PictureType = 'image/png' | 'image/jpeg' | 'image/webp'

/** A picture whose every part is known, without metadata. */
export interface Picture {
  readonly type: PictureType
  readonly bytes: Buffer
}

/**
 * Reads an uploaded picture and writes it anew without metadata, comments, colour profiles, animations and whatever stands
 * behind its end. Its type is what its bytes are. See docs/decisions/avatars.md.
 *
 * @throws BadPicture for anything that is not wholly understood
 */
export async function checkPicture(bytes: Buffer): Promise<Picture> {
  if (bytes.length > MAX_AVATAR_BYTES) throw new BadPicture(`a picture has at most ${MAX_AVATAR_BYTES / 1024} KiB`)
  const type = typeOf(bytes)
  const { parts } = await readers[type](bytes)
  const picture = Buffer.concat(parts)
  if (picture.length > MAX_STORED_BYTES) throw new BadPicture('this picture is too large')
  return { type, bytes: picture }
}

const readers: Readonly<Record<PictureType, (bytes: Buffer) => Read | Promise<Read>>> = {
  'image/png': readPng,
  'image/jpeg': readJpeg,
  'image/webp': readWebp,
}

function typeOf(bytes: Buffer): PictureType {
  if (bytes.subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'))) return 'image/png'
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return 'image/jpeg'
  if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP') return 'image/webp'
  throw new BadPicture('a picture is a PNG, a JPEG or a WebP')
}
