import { expect } from 'vitest'
import { test } from './support/fixtures.ts'

const looks = [
  { device: 'desktop', theme: 'light' },
  { device: 'phone', theme: 'dark' },
] as const

test.for(looks)('a reader of the documents tries them, $device, $theme', async (screen, { people }) => {
  const reader = await people.stranger(`tom_${screen.device}`, screen)
  const { page } = reader
  await page.goto('/docs')
  const find = page.getByLabel('Find')
  await find.fill('matches.list')
  const list = page.locator('details', { has: page.getByText('matches.list', { exact: true }) }).first()
  await list.locator('summary').first().click()
  await list.getByText('output', { exact: true }).click()
  await list.locator('pre').filter({ hasText: 'joinUrl' }).waitFor()
  await list.getByRole('button', { name: 'Send' }).click()
  await list.getByRole('log').getByText('"items": []').waitFor()
  await reader.shoot('answer')

  await find.fill('matches.onLobby')
  const lobby = page.locator('details', { has: page.getByText('matches.onLobby', { exact: true }) }).first()
  await lobby.locator('summary').first().click()
  await lobby.getByRole('button', { name: 'Follow' }).click()
  await lobby.getByRole('log').getByText('"matches": []').waitFor()
  await lobby.getByRole('button', { name: 'Stop' }).click()
  await lobby.getByRole('button', { name: 'Follow' }).waitFor()

  // What needs a user says so.
  await find.fill('auth.sessions')
  const sessions = page.locator('details', { has: page.getByText('auth.sessions', { exact: true }) }).first()
  await sessions.locator('summary').first().click()
  await sessions.getByRole('button', { name: 'Send' }).click()
  await sessions.getByRole('log').getByText('UNAUTHENTICATED').waitFor()
  await find.fill('')
  await reader.shoot('all')
  expect((await page.locator('.docs-summary').allTextContents()).filter((text) => text.includes('`'))).toEqual([])
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
})
