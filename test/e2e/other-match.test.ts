import { expect } from 'vitest'
import { test } from './support/fixtures.ts'
import { matchIdOf, matchIs, startMatch } from './support/match.ts'

test('a match that begins elsewhere', async ({ people }) => {
  const zoe = await people.player('zoe', { device: 'phone' })
  const abe = await people.player('abe', { theme: 'dark' })
  const { page } = zoe
  const otherTab = await zoe.context.newPage()
  await Promise.all([page.goto('/'), otherTab.goto('/account'), abe.page.goto('/')])
  const notice = page.getByTestId('other-match')
  const ofTab = otherTab.getByTestId('other-match')
  await otherTab.getByTestId('sessions-list').waitFor()
  await page.bringToFront()

  await startMatch(zoe, { points: 21, visibility: 'private' })
  const matchId = matchIdOf(zoe)
  const { code } = { code: await page.getByTestId('match-code').textContent() }
  expect(await page.getByTestId('to-other-match').count()).toBe(0)
  await page.getByTestId('nav-more').click()
  await page.getByRole('link', { name: 'History' }).click()
  await notice.getByText('waits for an opponent').waitFor()
  await ofTab.getByText('waits for an opponent').waitFor()
  await zoe.shoot('waiting')

  await abe.page.goto(`/join/${code}`)
  await notice.getByText('Your match against abe').waitFor()
  await expect.poll(() => page.title()).toContain('Your match is on!')
  await ofTab.getByText('Your match against abe').waitFor()
  await expect.poll(() => otherTab.title()).toContain('Your match is on!')
  await notice.getByText('is on.').waitFor()
  await zoe.shoot('live')

  // Still there after a reload, and on every page.
  await page.reload()
  await notice.getByText('is on.').waitFor()
  await page.getByRole('link', { name: 'Play', exact: true }).click()
  await notice.getByText('is on.').waitFor()
  await expect.poll(() => page.title()).toContain('Your match is on!')
  await zoe.shoot('lobby')

  await page.getByTestId('to-other-match').click()
  await page.waitForURL(`**/m/${matchId}`)
  await matchIs(zoe, 'live')
  expect(await page.getByTestId('to-other-match').count()).toBe(0)
  expect(await page.title()).not.toContain('Your match is on!')

  // Over, it is nobody's to go back to.
  await page.getByTestId('leave-match').click()
  await page.getByTestId('confirm-leave').click()
  await page.getByTestId('result').waitFor()
  await expect.poll(() => ofTab.textContent()).toBe('')
  expect(await otherTab.title()).not.toContain('Your match is on!')
  await page.getByRole('link', { name: 'Play', exact: true }).click()
  await page.getByTestId('create-match').waitFor()
  expect(await notice.textContent()).toBe('')
})
