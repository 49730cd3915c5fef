import { expect } from 'vitest'
import { newcomers } from '../support/newcomers.ts'
import type { Rally } from '../support/server.ts'
import { giveUp } from '../tournaments/support.ts'
import { test as base } from './support/fixtures.ts'
import type { Visitor } from './support/visitor.ts'

const FULL = 64
const test = base.extend('settings', { tournaments: { noShowMs: 60_000, countdownMs: 2_000, maxActive: 5 } })

test('tournament', async ({ people, rally }) => {
  const rudi = await people.player('rudi')
  const tess = await people.player('tess', { device: 'phone', theme: 'dark' })
  const programs = await newcomers(rally, 3)
  await rudi.page.goto('/')
  await rudi.page.getByTestId('nav-tournaments').click()
  await rudi.page.getByTestId('tournament-name').fill('Sunday Open')
  await rudi.page.getByTestId('create-tournament').click()
  await rudi.page.getByRole('heading', { level: 1, name: 'Sunday Open' }).waitFor()
  const tournamentId = idOf(rudi)
  expect(await rudi.page.getByTestId('start-tournament').isDisabled()).toBe(true)

  // Seeds follow the order of joining: tess is fourth, and meets the fifth first.
  for (const { client } of programs) await client.call('tournaments.join', { tournamentId })
  await tess.page.goto('/tournaments')
  await tess.shoot('tournaments')
  await tess.page.getByTestId('tournament-list').getByText('Sunday Open').click()
  await tess.page.getByTestId('join-tournament').click()
  await rudi.page.getByTestId('entrants').getByText('tess').waitFor()
  await rudi.page.getByTestId('join-tournament').click()
  await rudi.page.getByTestId('entrants').getByText('rudi').waitFor()
  await Promise.all([rudi.shoot('open'), tess.shoot('open')])
  await rudi.page.getByTestId('start-tournament').click()

  // The match is announced on the page of both, who play; one of them gives it up.
  const own = tess.page.getByTestId('own-tournament-match')
  await own.waitFor()
  await Promise.all([rudi.shoot('bracket'), tess.shoot('bracket')])
  expect(await overflow(tess)).toBe(0)
  await own.click()
  await tess.page.locator('[data-testid="match-status"][data-status="live"]').waitFor()
  await rudi.page.getByTestId('own-tournament-match').click()
  await rudi.page.getByTestId('leave-match').click()
  await rudi.page.getByTestId('confirm-leave').click()
  await tess.page.getByTestId('result').waitFor()

  // The others give up against tess, and the bracket shows it as it happens.
  await tess.page.goto(`/tournaments/${tournamentId}`)
  await rudi.page.goto(`/tournaments/${tournamentId}`)
  for (const [round, slot, loser] of [
    [2, 0, 0],
    [2, 1, 2],
    [3, 0, 1],
  ] as const) {
    await tess.page.locator(`[data-testid="pairing-${round}-${slot}"][data-status="playing"]`).waitFor()
    const matchId = await matchOf(rally, tournamentId, round, slot)
    const program = programs[loser]
    if (program) await giveUp(program, matchId)
    await rudi.page.locator(`[data-testid="pairing-${round}-${slot}"][data-status="decided"]`).waitFor()
  }
  await rudi.page.getByTestId('tournament-winner').getByText('tess has won.').waitFor()
  await Promise.all([rudi.shoot('finished'), tess.shoot('finished')])
})

test('tournaments of many', async ({ people, rally }) => {
  const uma = await people.player('uma', { theme: 'dark' })
  const vic = await people.player('vic', { device: 'phone' })
  const { db } = rally.app.platform.database
  const userIds = Array.from({ length: FULL }, (_, n) => `many-${n}`)
  await db.user.createMany({
    data: userIds.map((id, n) => ({
      id,
      username: `competitor_${n + 1}`,
      displayName: `competitor_${n + 1}`,
      totpKeyId: 'none',
      totpSecret: new Uint8Array(1),
    })),
  })
  for (const [format, players] of [
    ['single-elimination', FULL],
    ['round-robin', 12],
  ] as const) {
    await uma.page.goto('/tournaments')
    await uma.page.getByTestId('tournament-name').fill(`All in: ${format}`)
    await uma.page.getByTestId(`format-${format}`).check({ force: true })
    await uma.page.getByTestId(`size-${players}`).check({ force: true })
    await uma.page.getByTestId('create-tournament').click()
    await uma.page.getByTestId('tournament').waitFor()
    const tournamentId = idOf(uma)
    await db.tournamentEntrant.createMany({
      data: userIds.slice(0, players).map((userId, n) => ({ tournamentId, userId, number: n + 1 })),
    })
    await uma.page.reload()
    await uma.page.getByTestId('start-tournament').click()
    await vic.page.goto(`/tournaments/${tournamentId}`)
    await vic.page.getByTestId('standings').waitFor()
    await uma.page.getByTestId('pairing-1-0').waitFor()
    await Promise.all([uma.shoot(format), vic.shoot(format)])
    for (const visitor of [uma, vic]) expect(await overflow(visitor)).toBe(0)
    await uma.page.getByTestId('cancel-tournament').click()
    await uma.page.getByTestId('cancel-tournament').click()
    await vic.page.locator('[data-testid="tournament"][data-status="cancelled"]').waitFor()
  }
})

function idOf({ page }: Visitor): string {
  const [, id = ''] = /^\/tournaments\/([^/]+)$/.exec(new URL(page.url()).pathname) ?? []
  return decodeURIComponent(id)
}

async function matchOf(rally: Pick<Rally, 'app'>, tournamentId: string, round: number, slot: number) {
  const by = { tournamentId_round_slot: { tournamentId, round, slot } }
  return (await rally.app.platform.database.db.tournamentPairing.findUniqueOrThrow({ where: by })).matchId
}

/** By how many pixels the page is wider than the window. */
function overflow({ page }: Visitor): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}
