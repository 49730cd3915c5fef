import type { GameName } from '../../../src/games/index.ts'
import type { Rally } from '../../support/server.ts'
import type { Visitor } from './visitor.ts'

export interface NewMatch {
  readonly game?: GameName
  /** Pong alone has points. */
  readonly points?: 3 | 5 | 11 | 21
  readonly visibility?: 'public' | 'private'
  /** With a stranger or a friend, the bot, or who sits beside. */
  readonly against?: 'somebody' | 'bot' | 'local'
}

export interface Invitation {
  readonly link: string
  readonly code: string
}

type Status = 'waiting' | 'live' | 'finished' | 'aborted'

/** In the lobby: fills the form and starts a match. Resolves on the match's page. */
export async function startMatch(visitor: Visitor, wanted: NewMatch = {}): Promise<void> {
  const { game = 'pong', points = 3, visibility = 'public', against = 'somebody' } = wanted
  const { page } = visitor
  // The label: the choice itself is not painted, and a phone's bar may lie over its place.
  const choose = (testId: string) => page.locator('label', { has: page.getByTestId(testId) }).click()
  await choose(`game-${game}`)
  if (game === 'pong') await choose(`choice-pointsToWin-${points}`)
  await choose(`visibility-${visibility}`)
  await page.getByTestId({ somebody: 'create-match', bot: 'play-bot', local: 'play-local' }[against]).click()
  await page.getByTestId('match-status').waitFor()
}

/** What the waiting room offers to send to a friend. */
export async function invitationOf({ page }: Visitor): Promise<Invitation> {
  const link = await page.getByTestId('share-link').inputValue()
  const code = await page.getByTestId('match-code').textContent()
  return { link, code: code?.trim() ?? '' }
}

/** Resolves once the match on the page is in this state. */
export async function matchIs({ page }: Visitor, status: Status): Promise<void> {
  await page.locator(`[data-testid="match-status"][data-status="${status}"]`).waitFor()
}

/** Whether it is in that state now. */
export async function isMatch({ page }: Visitor, status: Status): Promise<boolean> {
  return (await page.locator(`[data-testid="match-status"][data-status="${status}"]`).count()) > 0
}

/** The id of the match on the page. */
export function matchIdOf({ page }: Visitor): string {
  const { pathname } = new URL(page.url())
  const [, id] = /^\/m\/([^/]+)$/.exec(pathname) ?? []
  if (id === undefined) throw new Error(`${pathname} is no match`)
  return decodeURIComponent(id)
}

/** The points on the scoreboard, in the seats' order. */
export async function scoresOf({ page }: Visitor): Promise<[number, number]> {
  const [left, right] = await Promise.all([0, 1].map((seat) => page.getByTestId(`score-${seat}`).textContent()))
  return [Number(left), Number(right)]
}

/** The score under the title of the result, as `3 : 1`; waits for it. */
export async function resultOf({ page }: Visitor): Promise<{ title: string; score: string }> {
  const result = page.getByTestId('result')
  const title = await result.getByRole('heading').textContent()
  const score = await result.locator('.result-score strong').textContent()
  return { title: title ?? '', score: score ?? '' }
}

/** A match and its points as the database has them. */
export async function storedMatch(rally: Rally, id: string) {
  const match = await rally.app.platform.database.db.match.findUniqueOrThrow({
    where: { id },
    include: { seats: { orderBy: { seat: 'asc' } } },
  })
  return { status: match.status, winnerSeat: match.winnerSeat, scores: match.seats.map(({ score }) => score) }
}

/** `[3, 1]` as pages write it. */
export function scoreText(scores: readonly number[]): string {
  return scores.join(' : ')
}
