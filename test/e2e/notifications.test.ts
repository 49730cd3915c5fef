import { expect } from 'vitest'
import { matchService } from '../../src/modules/matches/index.ts'
import { inTransaction } from '../../src/modules/scope.ts'
import { MatchId, UserId } from '../../src/modules/wire.ts'
import type { Rally } from '../support/server.ts'
import { test } from './support/fixtures.ts'
import { matchIdOf, matchIs, startMatch } from './support/match.ts'
import type { Visitor } from './support/visitor.ts'

test('an invite rings, is shown once, and leads to its match', async ({ rally, people }) => {
  const host = await people.player('ivy')
  const guest = await people.player('jim', { device: 'phone', theme: 'dark' })
  await countTones(guest)
  const releaseAnswers = await holdAnswers(guest, 'matches.acceptInvite')
  await Promise.all([host.page.goto('/'), guest.page.goto('/history')])
  const { page } = guest
  await startMatch(host, { game: 'connect-four', visibility: 'private' })
  const bell = page.getByTestId('invites')
  const toast = page.getByTestId('invite-toast')

  await invite(rally, host, guest)
  await toast.getByText('ivy invites you to Connect Four').waitFor()
  expect(await bell.getAttribute('data-count')).toBe('1')
  await guest.shoot('toast')
  // Nobody has asked for sound.
  expect(await tones(guest)).toBe(0)
  await toast.getByTestId('put-invite-aside').click()
  await toast.waitFor({ state: 'detached' })
  await bell.click()
  await page.getByTestId('decline-invite').click()
  await expect.poll(() => bell.getAttribute('data-count')).toBe('0')
  await guest.shoot('declined')

  await page.getByTestId('sound').click()
  await page.getByTestId('sound-on').check()
  await page.getByTestId('sound-volume').fill('0.3')
  expect(await tones(guest)).toBeGreaterThan(0)
  await guest.shoot('sound')
  await page.reload()
  await page.getByTestId('sound').click()
  expect(await page.getByTestId('sound-on').isChecked()).toBe(true)
  expect(await page.getByTestId('sound-volume').inputValue()).toBe('0.3')
  await page.keyboard.press('Escape')
  await page.getByTestId('sound-on').waitFor({ state: 'detached' })

  const another = await people.player('kay')
  await another.page.goto('/')
  await startMatch(another, { game: 'connect-four', visibility: 'private' })
  expect(await tones(guest)).toBe(0)
  await invite(rally, another, guest)
  await toast.waitFor()
  await expect.poll(() => tones(guest)).toBeGreaterThan(0)
  await toast.getByTestId('accept-invite').click()
  // The stream says that the invite is answered before the call is.
  await toast.waitFor({ state: 'detached' })
  releaseAnswers()
  await page.waitForURL(`**/m/${matchIdOf(another)}`)
  await matchIs(guest, 'live')
  expect(await toast.count()).toBe(0)
})

/** The server asks `guest` to come to the match on the page of `host`. */
async function invite(rally: Rally, host: Visitor, guest: Visitor): Promise<void> {
  const { platform } = rally.app
  const { db } = platform.database
  const idOf = async ({ name }: Visitor) => {
    const { id } = await db.user.findUniqueOrThrow({ where: { username: name } })
    return UserId.parse(id)
  }
  const [from, userId] = [await idOf(host), await idOf(guest)]
  const matchId = MatchId.parse(matchIdOf(host))
  const ask = { matchId, userId, from, reason: 'invite', expiresAt: new Date(Date.now() + 60_000) } as const
  await inTransaction(platform, (scope) => platform.use(matchService).invites.ask(scope, ask))
}

/** Keeps the answers of a method from the page, from its next address on, until the function that comes back is called. */
async function holdAnswers({ page }: Visitor, type: string): Promise<() => void> {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  await page.routeWebSocket('**/ws', (socket) => {
    const server = socket.connectToServer()
    server.onMessage(async (message) => {
      if (message.toString().startsWith(`{"type":"${type}"`)) await released
      socket.send(message)
    })
  })
  return release
}

/** From the next address on, the page counts the tones that it plays. */
async function countTones({ page }: Visitor): Promise<void> {
  await page.addInitScript(() => {
    const { start } = OscillatorNode.prototype
    Object.assign(globalThis, { tones: 0 })
    OscillatorNode.prototype.start = function (when) {
      Object.assign(globalThis, { tones: (Reflect.get(globalThis, 'tones') ?? 0) + 1 })
      start.call(this, when)
    }
  })
}

function tones({ page }: Visitor): Promise<number> {
  return page.evaluate(() => Number(Reflect.get(globalThis, 'tones')))
}
