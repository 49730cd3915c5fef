import { createRequire } from 'node:module'
import { create } from 'qrcode'
import { describe, expect, test } from 'vitest'
import { drawQrCode } from '../../src/modules/auth/totp/qr-code.ts'

const SCALE = 4
const QUIET = 4

interface Png {
  readonly width: number
  readonly height: number
  /** Four bytes a pixel. */
  readonly data: Buffer
}

/** The decoder that `qrcode` brings. It checks the sum of each chunk. */
const { PNG }: { PNG: { sync: { read(bytes: Buffer): Png } } } = createRequire(
  createRequire(import.meta.url).resolve('qrcode'),
)('pngjs')

describe('a drawn QR code', () => {
  test.for(['otpauth://totp/Rally:ada?issuer=Rally&secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 'x', 'y'.repeat(200)])(
    'of %s is a PNG of its modules in a quiet zone',
    (text) => {
      const [type, base64 = ''] = drawQrCode(text).split(',')
      expect(type).toBe('data:image/png;base64')
      const { width, height, data } = PNG.sync.read(Buffer.from(base64, 'base64'))
      const { modules } = create(text, { errorCorrectionLevel: 'M' })
      expect([width, height]).toEqual(Array(2).fill((modules.size + 2 * QUIET) * SCALE))
      const isDark = (row: number, column: number) =>
        row >= 0 && column >= 0 && row < modules.size && column < modules.size && modules.get(row, column) === 1
      const wrong: number[][] = []
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const grey = isDark(Math.floor(y / SCALE) - QUIET, Math.floor(x / SCALE) - QUIET) ? 0 : 255
          const pixel = [...data.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)]
          if (pixel.join() !== [grey, grey, grey, 255].join()) wrong.push([x, y])
        }
      }
      expect(wrong).toEqual([])
    },
  )
})
