import { expect } from 'vitest'
import { JPEG } from '../users/pictures.ts'
import { test } from './support/fixtures.ts'

test('a profile, people, and the end of an account', { timeout: 60_000 }, async ({ people, rally }) => {
  const uma = await people.player('uma')
  const vic = await people.player('vic', { device: 'phone', theme: 'dark' })
  const { page } = uma
  const { db } = rally.app.platform.database
  const user = await db.user.findUniqueOrThrow({ where: { username: 'uma' } })
  await db.playerStatistics.create({ data: { userId: user.id, game: 'pong', played: 7, won: 4 } })
  await db.rating.create({
    data: {
      userId: user.id,
      game: 'pong',
      rating: 1584,
      deviation: 80,
      volatility: 0.06,
      played: 7,
      won: 4,
      standing: 1424,
      ratedAt: new Date(),
    },
  })
  const days = [1500, 1560, 1530, 1490, 1540, 1610, 1584]
  await db.ratingChange.createMany({
    data: days.map((rating, day) => ({
      userId: user.id,
      game: 'pong',
      at: new Date(Date.now() - (days.length - day) * 24 * 60 * 60_000),
      matchId: `match-${day}`,
      rating,
      deviation: 80,
    })),
  })

  await page.goto('/u/uma')
  await page.getByTestId('rating-chart-pong').waitFor()
  await page.locator('[data-status="online"]').waitFor()
  await page.getByTestId('edit-profile').click()
  await page.getByTestId('display-name').fill('Uma the Great')
  await page.getByTestId('bio').fill('I play Pong.\nAt night.')
  await page.getByTestId('choose-picture').setInputFiles({ name: 'me.jpg', mimeType: 'image/jpeg', buffer: JPEG })
  await page.getByAltText('The chosen one').waitFor()
  await uma.shoot('edit')
  await page.getByTestId('save-profile').click()
  await page.getByRole('heading', { name: 'Uma the Great' }).waitFor()
  await uma.shoot('profile')
  const picture = await page.request.get('/avatars/uma')
  expect(picture.headers()['content-type']).toBe('image/webp')

  // Somebody else finds the profile, and sees it.
  await vic.page.goto('/people')
  await vic.page.locator('[data-user="uma"]').waitFor()
  await vic.shoot('people')
  await vic.page.getByTestId('search-people').fill('um')
  await vic.page.getByRole('link', { name: 'Uma the Great' }).click()
  await vic.page.getByText('At night.').waitFor()
  await vic.page.locator('[data-status="online"]').waitFor()
  await vic.shoot('profile')
  expect(await vic.page.getByTestId('edit-profile').count()).toBe(0)

  await page.getByTestId('user-name').click()
  const saved = page.waitForEvent('download')
  await page.getByTestId('export').click()
  expect((await saved).suggestedFilename()).toBe('rally-uma.json')
  await page.getByTestId('remove-account').click()
  await page.getByTestId('removed-name').fill('uma')
  await uma.shoot('remove')
  await page.getByTestId('confirm-removal').click()
  await page.getByTestId('username').waitFor()
  expect(await db.user.count({ where: { username: 'uma' } })).toBe(0)
})
