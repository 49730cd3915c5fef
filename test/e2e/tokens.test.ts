import { expect } from 'vitest'
import { connect, within } from '../support/client.ts'
import { test } from './support/fixtures.ts'

test('tokens', async ({ people, rally }) => {
  const tom = await people.player('tom', { device: 'phone', theme: 'dark' })
  const { page } = tom
  await page.goto('/account')
  await page.getByTestId('add-token').click()
  await page.getByTestId('token-name').fill('Score bot')
  await page.getByText('Submit scores').click()
  await tom.shoot('new')
  await page.getByTestId('create-token').click()
  const token = (await page.getByTestId('new-token').textContent()) ?? ''
  rally.secrets.add('ticket', token)
  const row = page.getByTestId('tokens-list').locator('[data-token]')
  await expect.poll(() => row.textContent()).toContain('may read, submit scores')
  await tom.shoot('made')

  const program = await connect(rally.url, { headers: { Authorization: `Bearer ${token}` } })
  expect(program.welcome.user?.username).toBe('tom')
  await page.reload()
  await expect.poll(() => row.textContent()).toContain('used')
  expect(await page.getByTestId('new-token').count()).toBe(0)
  await tom.shoot('listed')
  await page.getByTestId('revoke-token').click()
  expect(await within(program.closed, 'the close')).toEqual({ code: 4501, reason: 'revoked' })
  await row.waitFor({ state: 'detached' })
})
