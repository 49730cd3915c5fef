import { expect } from 'vitest'
import { test } from './support/fixtures.ts'
import { matchIdOf, matchIs, resultOf, scoreText, startMatch, storedMatch } from './support/match.ts'
import type { Visitor } from './support/visitor.ts'

test('connect four', async ({ rally, people }) => {
  const lea = await people.player('lea')
  const mia = await people.player('mia', { device: 'phone', theme: 'dark' })
  await Promise.all([lea, mia].map(({ page }) => page.goto('/')))
  await startMatch(lea, { game: 'connect-four' })
  const matchId = matchIdOf(lea)
  await mia.page.locator(`[data-match="${matchId}"]`).getByTestId('join-match').click()
  await Promise.all([matchIs(lea, 'live'), matchIs(mia, 'live')])
  await lea.shoot('empty-board')

  // Who begins drops four discs on top of one another; the other one looks on.
  await lea.page.getByText(/Your turn\.|mia to move\./).waitFor()
  const leaBegins = (await lea.page.getByTestId('turn').textContent())?.includes('Your turn')
  const [first, second] = leaBegins ? [lea, mia] : [mia, lea]
  for (let move = 0; move < 4; move++) {
    await drop(first, 3)
    if (move < 3) await drop(second, 0)
    if (move === 2) await Promise.all([lea.shoot('middle'), mia.shoot('middle')])
  }
  await Promise.all([lea, mia].map(({ page }) => page.getByTestId('result').waitFor()))
  await Promise.all([lea.shoot('result'), mia.shoot('result')])

  const stored = await storedMatch(rally, matchId)
  expect(stored.status).toBe('finished')
  expect(stored.winnerSeat).toBe(leaBegins ? 0 : 1)
  const score = scoreText(stored.scores)
  expect(await resultOf(first)).toEqual({ title: 'You win', score })
  expect(await resultOf(second)).toEqual({ title: 'You lose', score })
  for (const { page } of [lea, mia]) {
    expect(await page.locator('[data-testid="column-3"] [data-line]').count()).toBe(4)
    expect(await page.locator('.four-cell[data-disc]').count()).toBe(7)
  }
})

/** Waits for one's turn and drops a disc. */
async function drop({ page }: Visitor, column: number): Promise<void> {
  await page.getByText('Your turn.').waitFor()
  await page.getByTestId(`column-${column}`).click()
  await page.getByText('Your turn.').waitFor({ state: 'detached' })
}
