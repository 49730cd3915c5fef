import { expect } from 'vitest'
import { test } from './support/fixtures.ts'
import type { Visitor } from './support/visitor.ts'

/** Submits a score as a game does, over HTTP. */
async function submit({ context }: Visitor, score: number, gameMode = 'endless', name?: string): Promise<void> {
  const answer = await context.request.post('/api/scores', { data: { score, game_mode: gameMode, player_name: name } })
  expect(answer.status()).toBe(200)
}

/** What the list shows: place, name and score of each. */
async function shown({ page }: Visitor): Promise<string[]> {
  const rows = page.getByTestId('ranking').locator('li')
  return rows.evaluateAll((all) =>
    all.map((row) => {
      const text = (selector: string) => row.querySelector(selector)?.textContent ?? ''
      return `${text('.ranking-place')} ${text('.user-link')} ${text('.ranking-value')}`
    }),
  )
}

const shows = (visitor: Visitor, list: string[]) => expect.poll(() => shown(visitor), { timeout: 5_000 }).toEqual(list)

test('a leaderboard', async ({ people }) => {
  const [rex, sol, tom] = [
    await people.player('rex', { theme: 'dark' }),
    await people.player('sol', { device: 'phone' }),
    await people.player('tom'),
  ]
  await rex.page.goto('/leaderboard')
  await rex.page.getByText('No scores yet').waitFor()
  await Promise.all([
    submit(rex, 120),
    submit(sol, 1_500),
    submit(tom, 120),
    submit(tom, 7, 'arena'),
    submit(tom, 9, 'arena', 'Tom the guest'),
  ])
  await sol.page.goto('/leaderboard')
  await sol.page.getByTestId('game-mode').selectOption('endless')
  await rex.page.reload()
  await rex.page.getByTestId('game-mode').selectOption('endless')
  for (const visitor of [rex, sol]) {
    await expect
      .poll(async () => (await shown(visitor)).map((row) => row.replace(/rex|tom/, 'tie')), { timeout: 5_000 })
      .toEqual(['1 sol 1,500', '2 tie 120', '2 tie 120'])
  }
  await sol.shoot('top')
  // It changes by itself.
  await submit(rex, 2_000)
  for (const visitor of [rex, sol]) await shows(visitor, ['1 rex 2,000', '2 sol 1,500', '3 tom 120'])
  await rex.shoot('top')
  expect(await rex.page.getByTestId('ranking').locator('[aria-current]').textContent()).toContain('rex')
  await sol.page.getByTestId('period-day').check({ force: true })
  await sol.page.getByTestId('places-around').check({ force: true })
  await shows(sol, ['1 rex 2,000', '2 sol 1,500', '3 tom 120'])
  await sol.page.getByTestId('game-mode').selectOption('arena')
  await sol.page.getByText('You have no score in this time yet.').waitFor()
  const overflow = await sol.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(overflow).toBeLessThanOrEqual(0)
  // A name leads to its profile.
  await sol.page.getByTestId('places-top').check({ force: true })
  await shows(sol, ['1 tom 9', '2 tom 7'])
  expect(await sol.page.getByTestId('ranking').locator('li').first().textContent()).toContain('Tom the guestby tom,')
  await sol.shoot('names')
  await sol.page.getByRole('link', { name: 'tom' }).first().click()
  await sol.page.waitForURL('**/u/tom')

  // Anyone may read it, without an account.
  const { page } = await people.stranger('una', { device: 'phone' })
  await page.goto('/leaderboard')
  await page.getByTestId('ranking').locator('li').first().waitFor()
  expect(await page.getByTestId('places-around').count()).toBe(0)
  await page.getByRole('link', { name: 'tom' }).first().click()
  await page.getByRole('heading', { level: 1, name: 'tom' }).waitFor()
  await page.getByRole('heading', { name: 'Matches against others' }).waitFor()
  expect(await page.getByTestId('edit-profile').count()).toBe(0)
  await page.goto('/tournaments')
  await page.getByText('Sign in to open one.').waitFor()
  expect(await page.locator('.notice').count()).toBe(0)

  await tom.page.goto('/leaderboard')
  await tom.page.getByTestId('by-ratings').check({ force: true })
  await tom.page.getByText('No ratings yet').waitFor()
  await tom.shoot('ratings')
})
