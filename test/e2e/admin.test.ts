import { expect } from 'vitest'
import type { Rally } from '../support/server.ts'
import { giveCode, giveName, register, signOut } from './support/account.ts'
import { test } from './support/fixtures.ts'
import { matchIs, startMatch } from './support/match.ts'
import type { Visitor } from './support/visitor.ts'

/** Gives a user the role. The page that they have open gets it within a second. */
async function promote({ app }: Rally, username: string): Promise<void> {
  const { db } = app.platform.database
  await db.user.update({ where: { username }, data: { role: 'admin', roleChangedAt: new Date() } })
}

/** Opens the details of a user on the admin page. */
async function openUser({ page }: Visitor, username: string): Promise<void> {
  await page.getByTestId('user-prefix').fill(username)
  await page.getByTestId('find-users').click()
  await page.locator(`[data-user="${username}"]`).getByTestId('open-user').click()
  await page.getByTestId('admin-user').getByRole('heading', { name: username }).waitFor()
}

/** By how many pixels the page is wider than the window. */
function overflow({ page }: Visitor): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}

test('an admin bans somebody who is on the page: they see why, and cannot come back', async ({ people, rally }) => {
  const chief = await people.player('chief', { theme: 'dark' })
  const bad = await people.stranger('bad')
  await bad.page.goto('/')
  const { authenticator } = await register(bad)

  // A player has no such page, and does not load it.
  const loaded: string[] = []
  bad.page.on('request', (request) => loaded.push(request.url()))
  await bad.page.goto('/admin')
  await bad.page.getByRole('heading', { name: 'Out!' }).waitFor()
  expect(await bad.page.getByTestId('nav-admin').count()).toBe(0)
  expect(loaded.filter((url) => url.includes('admin-page'))).toEqual([])
  await bad.page.goto('/')
  await startMatch(bad, {})

  // An open page gets the role.
  await chief.page.goto('/')
  await chief.page.getByTestId('create-match').waitFor()
  expect(await chief.page.getByTestId('nav-admin').count()).toBe(0)
  await promote(rally, 'chief')
  await chief.page.getByTestId('nav-admin').click()
  await chief.page.getByTestId('admin-node').waitFor()
  await expect.poll(() => chief.page.getByTestId('admin-figures').textContent()).toContain('Users online2')
  await chief.shoot('overview')

  await chief.page.getByRole('link', { name: 'Users' }).click()
  await chief.page.getByTestId('admin-users').waitFor()
  await chief.shoot('users')
  await openUser(chief, 'bad')
  await chief.shoot('user')
  await chief.page.getByTestId('act-ban').click()
  await chief.page.getByTestId('reason').fill('Shouts at the net')
  await chief.shoot('ban')
  await chief.page.getByTestId('confirm-act').click()

  await bad.page.getByTestId('banned').getByText('You are banned: Shouts at the net.').waitFor()
  await bad.shoot('banned')
  await chief.page.getByTestId('act-unban').waitFor()
  await chief.page.locator('[data-act="ban"]').getByText('chief banned bad').waitFor()

  // Signing in tells the same, once the code is right.
  await bad.page.getByTestId('leave-banned').click()
  await giveName(bad, 'bad')
  await giveCode(bad, authenticator.code())
  await bad.page.getByText('You are banned: Shouts at the net.').waitFor()
  await bad.shoot('sign-in-refused')

  await chief.page.getByTestId('act-unban').click()
  await chief.page.getByTestId('confirm-act').click()
  await chief.page.getByTestId('act-ban').waitFor()

  // In an older session the page says what to do.
  const { db } = rally.app.platform.database
  const signedInAt = async (createdAt: Date) => {
    await db.session.updateMany({ where: { user: { username: 'chief' } }, data: { createdAt } })
  }
  await signedInAt(new Date(Date.now() - 11 * 60_000))
  await chief.page.getByTestId('act-reset').click()
  await chief.page.getByTestId('confirm-act').click()
  await chief.page.getByText('Sign out, sign in again, and come back here.').waitFor()
  await signedInAt(new Date())

  // A reset gives a code to hand over, and the user sees that it happened.
  await chief.page.getByTestId('confirm-act').click()
  const code = (await chief.page.getByTestId('handed-code').textContent())?.trim() ?? ''
  await chief.shoot('handed-code')
  await chief.page.getByTestId('code-handed-over').click()
  await bad.page.goto('/')
  await giveName(bad, 'bad')
  await bad.page.getByTestId('lost-authenticator').click()
  await bad.page.getByTestId('recovery-code').fill(code)
  await bad.page.getByTestId('submit-recovery').click()
  await bad.page.getByTestId('user-name').click()
  await bad.page.getByText('An admin reset your authenticator').waitFor()
  await bad.shoot('reset-notice')
  await signOut(bad)

  await chief.page.getByRole('link', { name: 'Audit log' }).click()
  await chief.page.getByTestId('audit-list').waitFor()
  const acts = await chief.page.locator('[data-act]').evaluateAll((all) => all.map((each) => each.dataset.act))
  expect(acts).toEqual(['resetAuthenticator', 'unban', 'ban'])
  await chief.shoot('audit')
})

test('on a phone an admin watches a private match, and stops it', async ({ people, rally }) => {
  // As long as names may be.
  const name = 'chief_with_long_name'
  const [chief, pia] = [await people.player(name, { device: 'phone' }), await people.player('pia')]
  await promote(rally, name)
  await pia.page.goto('/')
  await startMatch(pia, { against: 'local' })
  await matchIs(pia, 'live')

  await chief.page.goto('/admin')
  await chief.page.getByTestId('admin-node').waitFor()
  expect(await overflow(chief)).toBe(0)
  await chief.shoot('overview')
  await chief.page.getByRole('link', { name: 'Users' }).click()
  await openUser(chief, 'pia')
  expect(await overflow(chief)).toBe(0)
  await chief.shoot('user')
  await chief.page.getByRole('link', { name: 'Matches' }).click()
  const entry = chief.page.getByTestId('admin-matches').locator('[data-match]')
  await entry.waitFor()
  expect(await overflow(chief)).toBe(0)
  await chief.shoot('matches')
  await entry.getByTestId('watch-match').click()
  await matchIs(chief, 'live')
  await chief.page.goBack()
  await entry.getByTestId('act-abort').click()
  await chief.page.getByTestId('reason').fill('A test')
  await chief.shoot('stop')
  await chief.page.getByTestId('confirm-act').click()
  await entry.waitFor({ state: 'detached' })
  await pia.page.getByText('An admin stopped this match.').waitFor()
  await pia.shoot('stopped')
  await chief.page.getByRole('link', { name: 'Audit log' }).click()
  await chief.page.getByText(`${name} stopped the match`).waitFor()
  expect(await overflow(chief)).toBe(0)
  await chief.shoot('audit')
})
