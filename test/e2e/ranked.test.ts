import { expect } from 'vitest'
import { test } from './support/fixtures.ts'
import { matchIdOf, matchIs, startMatch } from './support/match.ts'
import { openRoom } from './support/room.ts'

test('two who press the button play a ranked match, and see what it did to their ratings', async ({ people }) => {
  const ann = await people.player('ann')
  const bob = await people.player('bob', { device: 'phone', theme: 'dark' })
  await Promise.all([ann, bob].map(({ page }) => page.goto('/')))
  await ann.page.getByTestId('estimated-wait').getByText('Nobody has played lately').waitFor()
  await ann.shoot('play-now')
  await bob.shoot('play-now')
  await ann.page.getByTestId('play-now-connect-four').check({ force: true })
  await ann.page.getByTestId('play-now').click()
  await ann.page.getByTestId('searching').waitFor()
  await ann.shoot('searching')
  await ann.page.getByTestId('leave-queue').click()
  await ann.page.getByTestId('play-now').click()
  await ann.page.getByTestId('searching').waitFor()

  // It is found on any page.
  await ann.page.getByTestId('nav-history').click()
  await ann.page.getByTestId('searching').waitFor()
  await ann.shoot('searching-elsewhere')
  await bob.page.getByTestId('play-now-connect-four').check({ force: true })
  await bob.page.getByTestId('play-now').click()
  await Promise.all([ann, bob].map((player) => matchIs(player, 'live')))
  expect(matchIdOf(ann)).toBe(matchIdOf(bob))

  await ann.page.getByTestId('leave-match').click()
  await ann.page.getByTestId('confirm-leave').click()
  for (const player of [ann, bob]) {
    const changes = player.page.getByTestId('rating-changes')
    await changes.getByText('+162').waitFor()
    await changes.getByText('−162').waitFor()
    await changes.scrollIntoViewIfNeeded()
    await player.shoot('ratings')
  }
})

test('a match that is found takes nobody out of a room, and no other tab along', async ({ people }) => {
  const eve = await people.player('eve')
  const fay = await people.player('fay')
  const other = await eve.context.newPage()
  await Promise.all([eve.page, fay.page].map((page) => page.goto('/')))
  await other.goto('/history')
  for (const { page } of [eve, fay]) await page.getByTestId('play-now-connect-four').check({ force: true })
  await eve.page.getByTestId('play-now').click()
  await other.getByText('a notice leads to the match').waitFor()
  const room = await openRoom(eve, 'call', 'Waiting together')
  await eve.page.getByText('a notice leads to the match').waitFor()
  await fay.page.getByTestId('play-now').click()
  await fay.page.waitForURL('**/m/*')
  const toast = eve.page.getByTestId('invite-toast')
  await toast.getByText('A match of Connect Four is found for you.').waitFor()
  await eve.shoot('found-elsewhere')
  await other.getByTestId('invite-toast').waitFor()
  expect([eve.page, other].map((page) => new URL(page.url()).pathname)).toEqual([room, '/history'])
  await toast.getByRole('button', { name: 'Go to it' }).click()
  await Promise.all([eve, fay].map((player) => matchIs(player, 'live')))
})

test('a player invites another one by name from the waiting room', async ({ people }) => {
  const cat = await people.player('cat')
  const dan = await people.player('dan')
  await Promise.all([cat, dan].map(({ page }) => page.goto('/')))
  await startMatch(cat, { game: 'connect-four', visibility: 'private' })
  await cat.page.getByTestId('invite-name').fill('nobody_here')
  await cat.page.getByTestId('send-invite').click()
  await cat.page.getByText('There is no player of that name.').waitFor()
  await cat.page.getByTestId('invite-name').fill('Dan')
  await cat.page.getByTestId('send-invite').click()
  await cat.page.getByTestId('invited').getByText('Dan is asked to come').waitFor()
  await cat.shoot('invited')
  await dan.page.getByTestId('accept-invite').click()
  await Promise.all([cat, dan].map((player) => matchIs(player, 'live')))
})
