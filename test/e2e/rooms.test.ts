import { expect } from 'vitest'
import { test } from './support/fixtures.ts'
import type { Visitor } from './support/visitor.ts'

test('rooms', async ({ people }) => {
  const { visitor: hal, wire } = await people.playerByWire('hal')
  const ivy = await people.player('ivy', { device: 'phone', theme: 'dark' })
  // The list is read again while it is looked at.
  await ivy.page.goto('/rooms')
  await ivy.page.getByText('No room is open').waitFor()
  await hal.page.goto('/')
  await hal.page.getByRole('link', { name: 'Rooms' }).click()
  await hal.page.getByTestId('room-name').fill('Night shift')
  await hal.page.getByTestId('create-room').click()
  await hal.page.getByRole('heading', { level: 1, name: 'Night shift' }).waitFor()
  const code = (await hal.page.locator('.room-code strong').textContent()) ?? ''

  await ivy.page.getByTestId('room-list').getByText('Night shift').waitFor({ timeout: 15_000 })
  await ivy.shoot('rooms')
  const size = ivy.page.viewportSize()
  await ivy.page.setViewportSize({ width: 320, height: 600 })
  expect(await narrowestGap(ivy)).toBeGreaterThanOrEqual(4)
  expect(await overflow(ivy)).toBe(0)
  await ivy.shoot('narrow')
  if (size) await ivy.page.setViewportSize(size)
  await ivy.page.getByTestId('room-code').fill(code)
  await ivy.page.getByTestId('join-room').click()
  await hal.page.getByTestId('room-members').getByText('ivy').waitFor()

  await write(hal, 'one')
  await write(ivy, 'two')
  await reads(hal, ['one', 'two'])
  await reads(ivy, ['one', 'two'])

  // What was written is there after a reload, and so is the place in the room.
  await hal.page.reload()
  await reads(hal, ['one', 'two'])

  // What is written while the line is cut is there when it is back: all of it, once, in order.
  hal.tolerate(/WebSocket connection to .* failed/)
  await wire.cut()
  await ivy.page.locator('[data-connected="false"]').getByText('hal').waitFor()
  for (const text of ['three', 'four', 'five']) await write(ivy, text)
  await wire.mend()
  await reads(hal, ['one', 'two', 'three', 'four', 'five'])
  await ivy.page.locator('[data-connected="true"]').getByText('hal').waitFor()
  await Promise.all([hal.shoot('room'), ivy.shoot('room')])
  expect(await overflow(ivy)).toBe(0)

  // The host leaves, and hands over.
  await hal.page.getByTestId('leave-room').click()
  await hal.page.getByTestId('room-history').getByText('Night shift').waitFor()
  await hal.shoot('after-leaving')
  const members = ivy.page.getByTestId('room-members').locator('li')
  await expect.poll(() => members.allTextContents()).toEqual([expect.stringMatching(/ivy.*host/)])
})

async function write({ page }: Visitor, text: string): Promise<void> {
  await page.getByTestId('chat-input').fill(text)
  await page.getByTestId('chat-send').click()
  await page.getByTestId('chat-messages').getByText(text, { exact: true }).waitFor()
}

/** Waits until these are the messages, and no other. */
async function reads({ page }: Visitor, texts: readonly string[]): Promise<void> {
  await expect.poll(() => page.locator('.chat-text').allTextContents(), { timeout: 15_000 }).toEqual(texts)
}

/** By how many pixels the page is wider than the window. */
function overflow({ page }: Visitor): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}

/** The pixels between the two labels of the bar that are closest to each other. */
function narrowestGap({ page }: Visitor): Promise<number> {
  return page.locator('.nav > * > span, .nav > .nav-menu > button > span').evaluateAll((labels) => {
    const boxes = labels.map((label) => label.getBoundingClientRect())
    return Math.min(...boxes.slice(1).map(({ left }, at) => left - (boxes[at]?.right ?? 0)))
  })
}
