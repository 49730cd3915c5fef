import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { test } from './support/fixtures.ts'
import { invitationOf, matchIdOf, matchIs, startMatch } from './support/match.ts'
import type { Visitor } from './support/visitor.ts'

const places = readFileSync(new URL('../../web/public/places.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')
/** What the app says of a path that it does not know. */
const UNKNOWN = 'There is no page at this address.'

test('addresses', async ({ people }) => {
  const nia = await people.player('nia')
  const { page } = nia
  // The server lists the same places that the app knows.
  for (const place of places) {
    const answer = await page.goto(place.replace('*', 'ABCDEF'))
    expect([place, answer?.status()]).toEqual([place, 200])
    await page.getByRole('heading', { level: 1 }).waitFor()
    // A player is not told that there is a page for admins.
    const isUnknown = place.startsWith('/admin') ? 1 : 0
    expect([place, await page.getByText(UNKNOWN).count()]).toEqual([place, isUnknown])
  }

  nia.tolerate(/Failed to load resource: .* 404/)
  for (const address of ['/dokument', '/m', '/lobby/of/old']) {
    const answer = await page.goto(address)
    expect([address, answer?.status()]).toEqual([address, 404])
    await page.getByText(UNKNOWN).waitFor()
  }
  await nia.shoot('no-page')
  await page.getByRole('link', { name: 'To the lobby' }).click()
  await page.getByTestId('create-match').waitFor()
})

test('invitations that lead nowhere', async ({ people }) => {
  const [oli, pam, quy] = [await people.player('oli'), await people.player('pam'), await people.player('quy')]
  const says = async ({ page }: Visitor, address: string, words: RegExp) => {
    await page.goto(address)
    await page.getByRole('alert').filter({ hasText: words }).waitFor()
    expect(await page.getByRole('main').getByRole('link', { name: 'To the lobby' }).count()).toBe(1)
  }
  await says(quy, '/m/3c4655e6-a8a3-40b6-a0f3-62b3e14b0f68', /no match at this address/)
  await says(quy, '/replay/nothing', /no match at this address/)
  await says(quy, '/join/ABCDEF', /No match with that code is waiting/)
  await says(quy, '/join/nothing', /That is no code/)

  await oli.page.goto('/')
  await startMatch(oli, { game: 'connect-four', visibility: 'private' })
  const { link } = await invitationOf(oli)
  const matchId = matchIdOf(oli)
  await pam.page.goto(link)
  await Promise.all([matchIs(oli, 'live'), matchIs(pam, 'live')])
  await says(quy, link, /both seats are taken/)
  await quy.shoot('full')

  // Who sits in it is led to it.
  await pam.page.goto(link)
  await pam.page.waitForURL(`**/m/${matchId}`)
  await pam.page.getByTestId('leave-match').click()
  await pam.page.getByTestId('confirm-leave').click()
  await matchIs(oli, 'finished')
  await says(quy, link, /is over/)
  await quy.page.goto(`/m/${matchId}`)
  await quy.page.getByRole('heading', { name: 'oli wins' }).waitFor()
})

test('a wrong code', async ({ people }) => {
  const rob = await people.stranger('rob')
  const { page } = rob
  await page.goto('/')
  await page.getByTestId('username').fill('rob')
  await page.getByTestId('submit-username').click()
  const code = page.getByTestId('totp-code')
  await code.fill('000000')
  await page.getByTestId('submit-code').click()
  await page.getByRole('alert').filter({ hasText: 'That code is not right' }).waitFor()
  // Typing can go on at once.
  await page.keyboard.type('12')
  expect(await code.inputValue()).toBe('12')
})

test('asked while there is no server', async ({ people }) => {
  const { visitor: sue, wire } = await people.playerByWire('sue')
  sue.tolerate(/WebSocket connection to .* failed/)
  const { page } = sue
  await page.goto('/')
  await page.getByTestId('create-match').waitFor()
  await wire.cut()
  await page.getByText('No connection. Trying again').waitFor()
  await page.getByTestId('play-bot').click()
  expect(await page.locator('[aria-busy]').count()).toBe(1)
  await page.getByRole('alert').filter({ hasText: 'There is no connection' }).waitFor({ timeout: 20_000 })
  await sue.shoot('no-connection')

  await wire.mend()
  await page.getByText('is back now').waitFor({ timeout: 20_000 })
  await page.getByTestId('play-bot').click()
  await matchIs(sue, 'live')
})
