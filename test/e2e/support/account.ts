import { Authenticator } from './authenticator.ts'
import type { Visitor } from './visitor.ts'

/** What somebody keeps after registering. */
export interface Kept {
  readonly authenticator: Authenticator
  readonly recoveryCodes: readonly string[]
}

/** On the sign-in page: a name that is new, the secret into an authenticator, its code, the recovery codes kept. */
export async function register(visitor: Visitor): Promise<Kept> {
  const { page, name } = visitor
  await giveName(visitor, name)
  const authenticator = new Authenticator(await readSecret(visitor))
  await visitor.shoot('enrol')
  await giveCode(visitor, authenticator.code())

  const codes = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem')
  await codes.first().waitFor()
  const recoveryCodes = await codes.allTextContents()
  await visitor.shoot('recovery-codes')
  await page.getByTestId('recovery-done').click()
  await page.getByTestId('user-name').waitFor()
  return { authenticator, recoveryCodes }
}

/** The secret for an authenticator app, as it can be read on the page. */
export async function readSecret({ page }: Visitor): Promise<string> {
  const secret = await page.getByTestId('totp-secret').textContent()
  if (!secret) throw new Error('the page shows no secret')
  return secret
}

/** Types a name into the sign-in page and goes on. */
export async function giveName({ page }: Visitor, name: string): Promise<void> {
  await page.getByTestId('username').fill(name)
  await page.getByTestId('submit-username').click()
}

export async function giveCode({ page }: Visitor, code: string): Promise<void> {
  await page.getByTestId('totp-code').fill(code)
  await page.getByTestId('submit-code').click()
}

/** From wherever, by the account page. Resolves on the sign-in page. */
export async function signOut({ page }: Visitor): Promise<void> {
  await page.getByTestId('user-name').click()
  await page.getByTestId('sign-out').click()
  await page.getByTestId('username').waitFor()
}
