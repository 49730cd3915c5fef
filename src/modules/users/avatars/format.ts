/** The longest side of a picture, in pixels. */
const MAX_SIDE = 1024

/** What the reader of a format gives: the same picture, written anew of the parts that it consists of. */
export interface Read {
  readonly parts: readonly Uint8Array[]
}

/** Why bytes are no picture that Rally takes, in words for the user. */
export class BadPicture extends Error {
  override readonly name = 'BadPicture'
}

/** To be called before anything is allocated for the pixels. @throws BadPicture */
export function checkSides(width: number, height: number): void {
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE) {
    throw new BadPicture(`a picture has at most ${MAX_SIDE} by ${MAX_SIDE} pixels`)
  }
}
