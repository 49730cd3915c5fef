import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { Match } from '../../src/modules/matches/types.ts'
import type { Room } from '../../src/modules/rooms/types.ts'
import { CONNECT_FOUR, create, follow, playConnectFour } from '../matches/support.ts'
import { promote } from '../support/admins.ts'
import type { TestClient } from '../support/client.ts'
import { newcomers, openSocket } from '../support/newcomers.ts'
import { matchTimes } from '../support/rally-test.ts'
import type { Rally } from '../support/server.ts'
import { createTournament } from '../tournaments/support.ts'
import { test as base } from './support/fixtures.ts'
import { auditPage } from './support/page-audit.ts'
import type { Visitor } from './support/visitor.ts'

const test = base.extend('settings', { matches: matchTimes({ maxActive: 20 }) })

const places = readFileSync(new URL('../../web/public/places.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')
const THEMES = ['light', 'dark'] as const

/** Looks at every page in every look. The pictures are kept; somebody has to look at them. */
test('every page, in every look', { timeout: 120_000 }, async ({ rally, people }) => {
  const desk = await people.player('dora_with_a_long_nam', { device: 'desktop' })
  const pocket = await people.player('finn_with_a_long_nam', { device: 'phone' })
  const stranger = await people.stranger('gast', { device: 'phone' })
  const { addresses: world, finished } = await makeWorld(rally, [desk, pocket])
  const missing = places.filter((place) => !Object.hasOwn(world, place))
  expect(missing, 'a place that is not looked at: name an address of it in makeWorld').toEqual([])

  const found: string[] = []
  const walk = async (visitor: Visitor, device: string, addresses: readonly string[]) => {
    await visitor.page.goto(addresses[0] ?? '/')
    for (const address of addresses) {
      await goWithin(visitor, address)
      for (const colorScheme of THEMES) {
        await visitor.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await visitor.shootWhole(`${device}-${colorScheme}-${address === '/' ? 'lobby' : address}`)
        for (const fault of await auditPage(visitor.page)) found.push(`${address}, ${device}, ${colorScheme}: ${fault}`)
      }
    }
  }
  const all = Object.values(world).flat()
  await Promise.all([walk(desk, 'desktop', all), walk(pocket, 'phone', all)])
  await walk(stranger, 'signed-out', ['/', `/replay/${finished}`])
  expect(found).toEqual([])

  // With the keyboard alone: first to the content, then through the header in the order in which it is seen.
  await desk.page.goto('/history')
  await desk.page.getByRole('heading', { level: 1 }).waitFor()
  const order: string[] = []
  for (let presses = 0; presses < 5; presses++) {
    await desk.page.keyboard.press('Tab')
    order.push(await desk.page.evaluate(() => document.activeElement?.textContent?.trim() ?? ''))
  }
  expect(order).toEqual(['Skip to the content', 'Rally', 'Play', 'Tournaments', 'Leaderboard'])
})

test('the audit of a page finds what is wrong', async ({ people }) => {
  const { page } = await people.stranger('ines', { device: 'phone' })
  await page.setContent(`<html><header><a href="/1">One</a><a href="/2" style="margin-left:-20px">Two</a></header>
    <main><div style="width:2000px"><h1>A</h1><h1>B</h1></div><button></button><img src="data:,"><p tabindex="2" id="p">x</p>
    <p id="p" style="color:#999;background:#fff">Hardly to be read</p></main></html>`)
  const found = (await auditPage(page)).join('\n')
  for (const fault of [
    'wider than the window',
    'lies over',
    '2 headings',
    'no language',
    'no name: <button',
    'no text: <img',
    'order of the focus',
    'two elements are #p',
    'contrast of 2.85: <p',
  ]) {
    expect(found).toContain(fault)
  }
})

/** Goes to an address as a link does, without loading the page again, and waits until it is there. */
async function goWithin({ page }: Visitor, address: string): Promise<void> {
  await page.evaluate((path) => {
    history.pushState({ inApp: true }, '', path)
    scrollTo(0, 0)
    dispatchEvent(new PopStateEvent('popstate'))
  }, address)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await expect.poll(() => page.locator('.loading').count(), { timeout: 10_000 }).toBe(0)
}

/** Something for every page to show. Gives addresses for each place, and a match that is over. */
async function makeWorld(rally: Rally, visitors: readonly Visitor[]) {
  const [ann, ben] = await newcomers(rally, 2)
  const own = await Promise.all(visitors.map((visitor) => socketOf(rally, visitor)))
  const [first, second] = own
  if (!first || !second) throw new Error('two visitors are needed')
  for (const { name } of visitors) {
    const { id } = await rally.app.platform.database.db.user.findUniqueOrThrow({ where: { username: name } })
    await promote(rally, id)
  }
  const play = async (host: TestClient, guest: TestClient) => {
    const { id } = await create(host, CONNECT_FOUR)
    const follower = await follow(host, id)
    await guest.call('matches.join', { matchId: id })
    await follower.live()
    return { id, follower }
  }
  const over = await play(first, second)
  await playConnectFour(own, over.id)
  await over.follower.over()
  const live = await play(ann.client, ben.client)
  const waiting: Match = await create(ann.client)
  const cup = await createTournament(ann.client, { name: 'Cup of all the players here', size: 4 })
  for (const client of [...own, ann.client, ben.client]) await client.call('tournaments.join', { tournamentId: cup.id })
  const open = await createTournament(ben.client, { format: 'round-robin', size: 4 })
  await ann.client.call('tournaments.start', { tournamentId: cup.id })
  const rooms: Room[] = []
  for (const kind of ['chat', 'call', 'coop'])
    rooms.push(await ann.client.call('rooms.create', { name: `A room: ${kind}`, kind }))
  for (const text of ['Hello', 'A longer message, which says more than one line of a phone can hold at once.']) {
    await ann.client.call('rooms.chat', { roomId: rooms[0]?.id, text })
  }
  for (const [index, client] of [...own, ann.client, ben.client].entries()) {
    await client.call('scores.submit', { gameMode: 'classic', score: 900 + 35 * index, coins: 12 })
  }
  const addresses: Record<string, string[]> = {
    '/': ['/'],
    '/docs': ['/docs'],
    '/history': ['/history'],
    '/leaderboard': ['/leaderboard'],
    '/tournaments': ['/tournaments'],
    '/tournaments/*': [`/tournaments/${cup.id}`, `/tournaments/${open.id}`],
    '/rooms': ['/rooms'],
    '/rooms/*': rooms.map(({ id }) => `/rooms/${id}`),
    '/account': ['/account'],
    '/people': ['/people'],
    '/u/*': [`/u/${ann.player.username}`, `/u/${visitors[0]?.name}`],
    '/admin': ['/admin'],
    '/admin/*': ['/admin/users', '/admin/matches', '/admin/audit'],
    '/m/*': [`/m/${over.id}`, `/m/${live.id}`, `/m/${waiting.id}`],
    '/replay/*': [`/replay/${over.id}?t=3`],
    '/join/*': ['/join/ABCDEF'],
  }
  return { addresses, finished: over.id }
}

async function socketOf(rally: Rally, { context }: Visitor): Promise<TestClient> {
  const cookies = await context.cookies()
  return openSocket(rally, { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') })
}
