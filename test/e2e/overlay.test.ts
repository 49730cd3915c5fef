import { expect } from 'vitest'
import { PADDLE_INSET, PADDLE_WIDTH, WIDTH } from '../../src/games/pong/court.ts'
import { test } from './support/fixtures.ts'
import { matchIdOf, matchIs, startMatch } from './support/match.ts'
import { lookAtCourt, PongPlayer } from './support/pong-player.ts'
import type { Visitor } from './support/visitor.ts'

const ROUND_TRIP_MS = 400
const PATIENCE = { timeout: 15_000 }
/** Where a paddle's centre is once it has gone up or down. */
const UP = 150
const DOWN = 450

test('the view of the network', { timeout: 90_000 }, async ({ people }) => {
  const sam = await people.player('sam')
  const tia = await people.player('tia', { device: 'phone', theme: 'dark' })
  const { page } = sam
  await Promise.all([sam, tia].map(({ page }) => page.goto('/')))
  const overlay = page.getByTestId('net-overlay')
  const isOpen = page.locator('[data-testid="connection"][data-state="open"]')

  // Not there until it is asked for; then on every page.
  await page.getByTestId('create-match').waitFor()
  expect(await overlay.count()).toBe(0)
  await page.keyboard.press('F9')
  await overlay.waitFor()
  await expect.poll(() => figure(sam, 'rtt')).not.toBeNaN()
  expect(await figure(sam, 'ahead')).toBeNaN()
  expect(await page.getByTestId('net-switch').isChecked()).toBe(false)
  await page.keyboard.press('F9')
  await overlay.waitFor({ state: 'detached' })

  await startMatch(sam, { points: 21 })
  await tia.page
    .locator(`[data-match="${matchIdOf(sam)}"]`)
    .getByTestId('join-match')
    .click()
  await Promise.all([matchIs(sam, 'live'), matchIs(tia, 'live')])
  const [left, right] = [new PongPlayer(sam, 0, 'letters'), new PongPlayer(tia, 1)]
  await page.keyboard.press('F9')
  await overlay.waitFor()
  await page.getByTestId('net-switch').check()
  await page.getByTestId('net-latency').fill(String(ROUND_TRIP_MS))
  await page.getByTestId('net-jitter').fill('30')

  // Every input is a measurement, and what is seen goes ahead so far that the next one comes in time.
  let isUp = false
  await expect
    .poll(async () => {
      isUp = !isUp
      await left.move(isUp ? -1 : 1)
      return (await figure(sam, 'rtt')) > ROUND_TRIP_MS * 0.8 && (await figure(sam, 'ahead')) > 10
    }, PATIENCE)
    .toBe(true)

  // The own paddle waits for nobody.
  await left.move(0)
  expect(await picturesToAnswer(sam)).toBeLessThanOrEqual(3)

  // The moves of the other one come late, and change what was predicted.
  for (let round = 0; round < 3; round++) {
    await right.move(-1)
    await expect.poll(async () => (await lookAtCourt(sam)).paddles[1], PATIENCE).toBeLessThan(UP)
    await right.move(1)
    await expect.poll(async () => (await lookAtCourt(sam)).paddles[1], PATIENCE).toBeGreaterThan(DOWN)
  }
  await right.move(0)
  expect(await figure(sam, 'depth')).toBeGreaterThan(5)
  expect(await figure(sam, 'corrections')).toBeGreaterThan(0)
  expect(await figure(sam, 'in')).toBeGreaterThan(0)
  expect(await figure(sam, 'desyncs')).toBe(0)
  await Promise.all([sam.shoot('bad-network'), tia.shoot('other-side')])

  // Cut, it comes back by itself, and so does what is done from then on.
  const anotherSocket = page.waitForEvent('websocket')
  await page.getByTestId('net-cut').click()
  await sam.shoot('cut')
  await anotherSocket
  await isOpen.waitFor()
  await left.move(-1)
  await expect.poll(async () => (await lookAtCourt(tia)).paddles[0], PATIENCE).toBeLessThan(UP)
  await left.move(1)
  await expect.poll(async () => (await lookAtCourt(tia)).paddles[0], PATIENCE).toBeGreaterThan(DOWN)
  await left.move(0)
  await matchIs(sam, 'live')
  expect(await figure(sam, 'desyncs')).toBe(0)

  // Closed, it says that the network is still a bad one.
  await page.keyboard.press('Escape')
  await overlay.waitFor({ state: 'detached' })
  await sam.shoot('closed')
  await page.getByTestId('net-badge').click()
  await page.getByTestId('net-switch').uncheck()
  await page.getByTestId('net-close').click()
  await overlay.waitFor({ state: 'detached' })
  expect(await page.getByTestId('net-badge').count()).toBe(0)
})

/** A number that the view shows, the first where there are two; NaN for none. */
async function figure({ page }: Visitor, id: string): Promise<number> {
  return Number.parseFloat((await page.getByTestId(`net-figure-${id}`).textContent()) ?? '')
}

/** Presses a key until the own paddle, the left one, moves: how many pictures that takes; infinity if it does not. */
async function picturesToAnswer({ page }: Visitor): Promise<number> {
  return page.getByTestId('pong-canvas').evaluate(
    async (canvas, { x, width }) => {
      if (!(canvas instanceof HTMLCanvasElement)) throw new Error('no canvas')
      const context = canvas.getContext('2d')
      const look = () =>
        context?.getImageData(Math.round((x / width) * canvas.width), 0, 1, canvas.height).data.toString()
      const nextPicture = () => new Promise(requestAnimationFrame)
      // Away from the end that it may be at.
      const { data } = context?.getImageData(Math.round((x / width) * canvas.width), 0, 1, canvas.height / 2) ?? {}
      const color = Number.parseInt(getComputedStyle(canvas).getPropertyValue('--court-seat-0').trim().slice(1, 3), 16)
      const code = data?.some((value, index) => index % 4 === 0 && value === color) ? 'KeyS' : 'KeyW'
      await nextPicture()
      const before = look()
      dispatchEvent(new KeyboardEvent('keydown', { code }))
      try {
        for (let picture = 1; picture <= 120; picture++) {
          await nextPicture()
          if (look() !== before) return picture
        }
        return Number.POSITIVE_INFINITY
      } finally {
        dispatchEvent(new KeyboardEvent('keyup', { code }))
      }
    },
    { x: PADDLE_INSET + PADDLE_WIDTH / 2, width: WIDTH },
  )
}
