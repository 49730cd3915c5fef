import { createHash } from 'node:crypto'

const CELLS = 5
const SIZE = 8 * CELLS

/** The picture of a user who has uploaded none: a mirrored pattern in two colours, always the same for a name. An SVG. */
export function drawAvatar(username: string): string {
  const hash = createHash('sha256').update(username).digest()
  const [first = 0, second = 0, shift = 0, ...bits] = hash
  const hue = Math.round(((first * 256 + second) / 65_536) * 360)
  const other = (hue + 100 + Math.round((shift / 256) * 160)) % 360
  let cells = ''
  for (let y = 0; y < CELLS; y++) {
    for (let x = 0; x <= CELLS >> 1; x++) {
      if (((bits[y * 3 + x] ?? 0) & 1) === 0) continue
      cells += square(x, y)
      if (x !== CELLS >> 1) cells += square(CELLS - 1 - x, y)
    }
  }
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 -8 ${SIZE + 16} ${SIZE + 16}">` +
    `<path fill="hsl(${hue} 45% 30%)" d="M-8-8h${SIZE + 16}v${SIZE + 16}h-${SIZE + 16}z"/>` +
    `<path fill="hsl(${other} 75% 72%)" d="${cells}"/></svg>`
  )
}

function square(x: number, y: number): string {
  return `M${x * 8} ${y * 8}h8v8h-8z`
}
