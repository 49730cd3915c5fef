import { expect } from 'vitest'
import { test } from './support/fixtures.ts'
import { invitationOf, matchIdOf, matchIs, startMatch } from './support/match.ts'
import type { Visitor } from './support/visitor.ts'

test('a rematch', { timeout: 90_000 }, async ({ people, rally }) => {
  const ben = await people.player('ben')
  const cat = await people.player('cat', { device: 'phone', theme: 'dark' })
  const dan = await people.player('dan')
  const first = await playOut(ben, cat)

  // The offer comes and goes with who makes it, and no stranger sees it.
  await dan.page.goto('/')
  await dan.page.getByText('Nobody is waiting').waitFor()
  await ben.page.getByTestId('rematch').click()
  await ben.page.getByText('Kept for cat').waitFor()
  await cat.page.getByText('ben wants a rematch').waitFor()
  await Promise.all([ben.shoot('asked'), cat.shoot('offer')])
  const asked = matchIdOf(ben)
  await dan.page.goto(`/m/${asked}`)
  await dan.page.getByText('is kept for the other player').waitFor()
  expect(await dan.page.getByTestId('take-seat').count()).toBe(0)
  await dan.shoot('kept')
  await ben.page.getByTestId('leave-match').click()
  await cat.page.getByText('ben wants a rematch').waitFor({ state: 'detached' })

  // Both press at once, and are in one match.
  await ben.page.goto(`/m/${first}`)
  await Promise.all([ben, cat].map(({ page }) => page.getByTestId('rematch').click()))
  await Promise.all([matchIs(ben, 'live'), matchIs(cat, 'live')])
  expect(matchIdOf(ben)).toBe(matchIdOf(cat))
  expect(matchIdOf(ben)).not.toBe(first)
  const { db } = rally.app.platform.database
  expect(await db.match.count({ where: { status: 'live' } })).toBe(1)
  expect(await db.match.count({ where: { status: 'waiting' } })).toBe(0)
  const seats = await db.seat.findMany({ where: { matchId: matchIdOf(ben) }, orderBy: { seat: 'asc' } })
  expect(seats.map(({ displayName }) => displayName)).toEqual(['ben', 'cat'])
})

test('two on one keyboard play again', async ({ people }) => {
  const eli = await people.player('eli', { device: 'phone' })
  const { page } = eli
  await page.goto('/')
  await startMatch(eli, { game: 'connect-four', against: 'local' })
  await matchIs(eli, 'live')
  const first = matchIdOf(eli)
  for (const column of [3, 0, 3, 0, 3, 0, 3]) await page.getByTestId(`column-${column}`).click()
  await page.getByTestId('rematch').click()
  await page.waitForURL((url) => url.pathname !== `/m/${first}`)
  await matchIs(eli, 'live')
  await eli.shoot('again')
})

/** Plays a match in which the first gives up at once; gives its id. */
async function playOut(host: Visitor, guest: Visitor): Promise<string> {
  await host.page.goto('/')
  await startMatch(host)
  const { link } = await invitationOf(host)
  await guest.page.goto(new URL(link).pathname)
  await Promise.all([matchIs(host, 'live'), matchIs(guest, 'live')])
  await host.page.getByTestId('leave-match').click()
  await host.page.getByTestId('confirm-leave').click()
  await Promise.all([matchIs(host, 'finished'), matchIs(guest, 'finished')])
  return matchIdOf(host)
}
