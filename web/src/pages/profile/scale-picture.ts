const SIDE = 256

/** Cuts a picture to a square, and scales it to 256 pixels. What a browser can show can be taken. A `data:` URL. */
export async function scalePicture(file: Blob): Promise<string> {
  // Turned as its metadata says, which the server takes away.
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' })
  try {
    const canvas = document.createElement('canvas')
    canvas.width = SIDE
    canvas.height = SIDE
    const context = canvas.getContext('2d')
    if (!context) throw new Error('this browser draws no pictures')
    const side = Math.min(picture.width, picture.height)
    context.imageSmoothingQuality = 'high'
    const [x, y] = [(picture.width - side) / 2, (picture.height - side) / 2]
    context.drawImage(picture, x, y, side, side, 0, 0, SIDE, SIDE)
    // A browser that writes no WebP writes a PNG.
    return canvas.toDataURL('image/webp', 0.9)
  } finally {
    picture.close()
  }
}
