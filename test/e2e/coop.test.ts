import { expect } from 'vitest'
import { FIELD_HEIGHT, FIELD_WIDTH } from '../../web/src/coop/field.ts'
import { test } from './support/fixtures.ts'
import { openRoom } from './support/room.ts'
import type { Visitor } from './support/visitor.ts'

test('a coop room: players see each other move, and each coin has one owner', async ({ people }) => {
  const pia = await people.player('pia')
  const ray = await people.player('ray', { theme: 'dark', device: 'phone' })
  const address = await openRoom(pia, 'coop', 'Treasure')
  await ray.page.goto(address)
  await expect.poll(() => placeOf(pia, 1)).not.toBeNull()
  await expect.poll(() => placeOf(ray, 0)).not.toBeNull()

  // The same place on both pages, wherever she goes.
  const first = await placeOf(ray, 0)
  await press(pia, 0.5, 0.5)
  await expect.poll(async () => (await placeOf(pia, 0))?.x).toBeCloseTo(FIELD_WIDTH / 2, -1.3)
  await expect.poll(async () => (await placeOf(ray, 0))?.x, { timeout: 5_000 }).toBeCloseTo(FIELD_WIDTH / 2, -1.3)
  expect(await placeOf(ray, 0)).not.toEqual(first)

  // From row to row, until a coin is collected.
  const total = ({ page }: Visitor) => page.getByTestId('coop-total').textContent()
  for (let row = 0; (await total(pia))?.startsWith('0 of') && row < 12; row++) {
    for (const x of row % 2 === 0 ? [0.02, 0.98] : [0.98, 0.02]) {
      await press(pia, x, (row + 0.5) / 12)
      await expect.poll(async () => (await placeOf(pia, 0))?.x, { timeout: 5_000 }).toBeCloseTo(clamped(x), -1.3)
    }
  }
  expect(await total(pia)).not.toMatch(/^0 of/)
  await expect.poll(() => total(ray)).toBe(await total(pia))
  await Promise.all([pia.shoot('coop'), ray.shoot('coop')])
  expect(await ray.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)

  // Coins that are collected stay so.
  const before = await total(pia)
  await ray.page.reload()
  await expect.poll(() => total(ray)).toBe(before)
})

/** A player is never nearer to the edge than this. */
const clamped = (x: number) => Math.min(FIELD_WIDTH - 18, Math.max(18, x * FIELD_WIDTH))

/** Holds the mouse down on the field. */
async function press({ page }: Visitor, x: number, y: number): Promise<void> {
  const box = await page.getByTestId('coop-field').boundingBox()
  if (!box) throw new Error('there is no field')
  await page.mouse.move(box.x + box.width * x, box.y + box.height * y)
  await page.mouse.down()
}

/** Where the player with this colour is drawn, in the field's units; null for nowhere. */
function placeOf({ page }: Visitor, player: number): Promise<{ x: number; y: number } | null> {
  return page.getByTestId('coop-field').evaluate(
    (canvas, { player, width, height }) => {
      if (!(canvas instanceof HTMLCanvasElement)) throw new Error('no canvas')
      const color = Number.parseInt(getComputedStyle(canvas).getPropertyValue(`--player-${player}`).trim().slice(1), 16)
      const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] }
      let [count, x, y] = [0, 0, 0]
      for (let at = 0; at < data.length; at += 4) {
        if ((((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0)) !== color) continue
        count++
        x += (at / 4) % canvas.width
        y += Math.floor(at / 4 / canvas.width)
      }
      return count === 0 ? null : { x: (x / count / canvas.width) * width, y: (y / count / canvas.height) * height }
    },
    { player, width: FIELD_WIDTH, height: FIELD_HEIGHT },
  )
}
