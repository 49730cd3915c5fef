import { expect } from 'vitest'
import { giveCode, giveName, type Kept, readSecret, signOut } from './support/account.ts'
import { Authenticator } from './support/authenticator.ts'
import { test as base } from './support/fixtures.ts'
import { VirtualAuthenticator } from './support/virtual-authenticator.ts'
import type { Visitor } from './support/visitor.ts'

const test = base.extend('settings', { secondFactor: 'passkey' })

/** On the sign-in page: a new name, its authenticator app, and its first passkey. */
async function register(visitor: Visitor): Promise<Kept> {
  const { page, name } = visitor
  await giveName(visitor, name)
  const authenticator = new Authenticator(await readSecret(visitor))
  await giveCode(visitor, authenticator.code())
  await page.getByTestId('create-passkey').click()
  return { authenticator, recoveryCodes: await keepRecoveryCodes(visitor) }
}

async function keepRecoveryCodes({ page }: Visitor): Promise<string[]> {
  const codes = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem')
  await codes.first().waitFor()
  const recoveryCodes = await codes.allTextContents()
  await page.getByTestId('recovery-done').click()
  await page.getByTestId('user-name').waitFor()
  return recoveryCodes
}

/** Up to the question for a passkey. */
async function giveNameAndCode(visitor: Visitor, { authenticator }: Kept): Promise<void> {
  await giveName(visitor, visitor.name)
  await giveCode(visitor, authenticator.code())
}

test('a passkey is made, named, added to and asked for', async ({ people }) => {
  const ada = await people.stranger('ada', { device: 'phone' })
  const { page } = ada
  const phone = await VirtualAuthenticator.plugIn(ada)
  await page.goto('/')
  await giveName(ada, 'ada')
  const authenticator = new Authenticator(await readSecret(ada))
  await giveCode(ada, authenticator.code())

  // The dialog is cancelled, and asked for again.
  await phone.unlock(false)
  await page.getByTestId('passkey-name').fill('Phone')
  await ada.shoot('new-passkey')
  await page.getByTestId('create-passkey').click()
  await page.getByText('No passkey was used').waitFor()
  await ada.shoot('cancelled')
  await phone.unlock(true)
  await page.getByTestId('create-passkey').click()
  const recoveryCodes = await keepRecoveryCodes(ada)
  expect(recoveryCodes).toHaveLength(10)
  expect(await phone.count()).toBe(1)

  await page.getByTestId('user-name').click()
  const rows = page.getByTestId('passkeys-list').locator('[data-passkey]')
  await expect.poll(() => rows.allTextContents()).toEqual([expect.stringContaining('Phone')])
  // The last one cannot be removed, and the same phone cannot make another.
  expect(await page.getByTestId('remove-passkey').count()).toBe(0)
  await page.getByTestId('add-passkey').click()
  await page.getByTestId('passkey-name').fill('Blue key')
  await page.getByTestId('create-passkey').click()
  await page.getByText('has a passkey of yours already').waitFor()
  const key = await VirtualAuthenticator.plugIn(ada, 'usb')
  await page.getByTestId('create-passkey').click()
  await expect.poll(() => rows.count()).toBe(2)
  expect(await key.count()).toBe(1)

  await rows.nth(1).getByTestId('rename-passkey').click()
  await page.getByTestId('passkey-name').fill('Green key')
  await page.getByTestId('passkeys-list').getByRole('button', { name: 'Save' }).click()
  await expect.poll(() => rows.nth(1).textContent()).toContain('Green key')
  await ada.shoot('account')
  await rows.nth(0).getByTestId('remove-passkey').click()
  await expect.poll(() => rows.count()).toBe(1)

  await phone.unplug()
  await signOut(ada)
  await giveNameAndCode(ada, { authenticator, recoveryCodes })
  await page.getByTestId('use-passkey').waitFor()
  await ada.shoot('passkey')
  await key.unlock(false)
  await page.getByTestId('use-passkey').click()
  await page.getByText('No passkey was used').waitFor()
  await key.unlock(true)
  await page.getByTestId('use-passkey').click()
  await page.getByTestId('user-name').waitFor()
})

test('a wrong passkey', async ({ people }) => {
  const ben = await people.stranger('ben', { theme: 'dark' })
  const { page } = ben
  const key = await VirtualAuthenticator.plugIn(ben)
  await page.goto('/')
  const kept = await register(ben)
  await signOut(ben)
  await giveNameAndCode(ben, kept)
  await key.corrupt()
  await page.getByTestId('use-passkey').click()
  await page.getByText('The server did not accept that passkey').waitFor()
  await ben.shoot('refused')
  // The page is back at the code, whose next one begins again.
  await page.getByTestId('totp-code').waitFor()
  expect(await page.getByTestId('user-name').count()).toBe(0)
})

test('a lost passkey', async ({ people }) => {
  const cyd = await people.stranger('cyd')
  const { page } = cyd
  const lost = await VirtualAuthenticator.plugIn(cyd)
  await page.goto('/')
  const kept = await register(cyd)
  const [first = ''] = kept.recoveryCodes
  await signOut(cyd)
  await lost.unplug()
  await giveNameAndCode(cyd, kept)
  await page.getByTestId('lost-passkey').click()
  await page.getByTestId('recovery-code').fill('0000-0000-0000-0000')
  await page.getByTestId('submit-recovery').click()
  await page.getByText('That recovery code is not right').waitFor()
  await cyd.shoot('wrong-recovery-code')
  await page.getByTestId('recovery-code').fill(first)
  await page.getByTestId('submit-recovery').click()

  const found = await VirtualAuthenticator.plugIn(cyd)
  await page.getByTestId('passkey-name').fill('New phone')
  await cyd.shoot('replace')
  await page.getByTestId('create-passkey').click()
  await page.getByTestId('user-name').click()
  const rows = page.getByTestId('passkeys-list').locator('[data-passkey]')
  await expect.poll(() => rows.allTextContents()).toEqual([expect.stringContaining('New phone')])
  expect(await found.count()).toBe(1)
})

test('a browser without passkeys', async ({ people }) => {
  const dan = await people.stranger('dan')
  const { page } = dan
  await VirtualAuthenticator.plugIn(dan)
  await page.goto('/')
  const kept = await register(dan)
  const old = await people.stranger('dan')
  await old.page.addInitScript(() => Reflect.deleteProperty(window, 'PublicKeyCredential'))
  await old.page.goto('/')
  await giveNameAndCode(old, kept)
  await old.page.getByTestId('no-passkeys').waitFor()
  await old.shoot('no-passkeys')
  await old.page.getByRole('button', { name: 'Start again' }).click()
  await old.page.getByTestId('username').waitFor()
})
