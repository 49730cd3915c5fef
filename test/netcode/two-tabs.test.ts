import { expect } from 'vitest'
import type { MatchRunner } from '../../src/engine/index.ts'
import type { PongInput } from '../../src/games/pong/index.ts'
import { rallyTest } from '../support/rally-test.ts'
import type { Rally } from '../support/server.ts'
import {
  clientOf,
  createPong,
  next,
  type PongPlay,
  patient,
  playPong,
  type RallyClient,
  untilStatus,
} from './players.ts'

const test = rallyTest({ config: patient })
const UP: PongInput = { move: -1 }
const DOWN: PongInput = { move: 1 }
const IDLE: PongInput = { move: 0 }

interface Tab {
  readonly client: RallyClient
  readonly play: PongPlay
}

/** A match in which the first player has two tabs open. */
async function inTwoTabs(rally: Rally, clients: readonly [RallyClient, RallyClient, RallyClient]) {
  const [first, second, opponent] = clients
  const match = await createPong(first, opponent, 21)
  const tabs: [Tab, Tab] = [
    { client: first, play: playPong(first, match) },
    { client: second, play: playPong(second, match) },
  ]
  await Promise.all(tabs.map(({ play }) => untilStatus(play, 'live')))
  const runner = rally.app.platform.engine.get(match.id)
  if (!runner) throw new Error('the match does not run')
  return { match, tabs, runner, leave: () => opponent.matches.leave({ matchId: match.id }) }
}

async function untilHeld(runner: MatchRunner, input: PongInput): Promise<void> {
  await expect.poll(() => runner.inputs[0], { timeout: 5_000 }).toEqual(input)
}

test('the tab in which the player did something last has the seat, and the other does not insist', async ({
  rally,
  ada,
  ben,
}) => {
  const clients = [clientOf(rally.url, ada), clientOf(rally.url, ada), clientOf(rally.url, ben)] as const
  const { tabs, runner, leave } = await inTwoTabs(rally, clients)
  const [one, other] = tabs
  one.play.input(UP)
  await untilHeld(runner, UP)
  other.play.input(DOWN)
  await untilHeld(runner, DOWN)
  const before = runner.log.length
  // As pages do: what is pressed is said with every frame.
  for (let second = 0; second < 2; second++) {
    await next(one.play, 'confirmed')
    expect([one.play.input(UP), other.play.input(DOWN)]).toEqual([false, false])
    expect(one.play.state?.paddle0).toEqual(expect.any(Number))
  }
  expect(runner.log.length).toBe(before)
  expect(runner.inputs[0]).toEqual(DOWN)
  // Back in the first one.
  one.play.input(IDLE)
  await untilHeld(runner, IDLE)
  one.play.input(UP)
  await untilHeld(runner, UP)
  await next(other.play, 'confirmed')
  await next(other.play, 'confirmed')
  expect(runner.inputs[0]).toEqual(UP)
  expect(runner.log.length).toBe(before + 2)
  expect(one.play.figures.desyncs + other.play.figures.desyncs).toBe(0)
  await leave()
  for (const client of clients) client.close()
}, 30_000)

test('a closed tab lets go of its keys, though another tab stays', async ({ rally, ada, ben }) => {
  const clients = [clientOf(rally.url, ada), clientOf(rally.url, ada), clientOf(rally.url, ben)] as const
  const { match, tabs, runner, leave } = await inTwoTabs(rally, clients)
  const [one, other] = tabs
  one.play.input(UP)
  await untilHeld(runner, UP)
  one.client.close()
  await untilHeld(runner, IDLE)
  // What the other tab holds goes with that one alone.
  other.play.input(DOWN)
  await untilHeld(runner, DOWN)
  const third = clientOf(rally.url, ada)
  const watching = playPong(third, match)
  await untilStatus(watching, 'live')
  third.close()
  await next(other.play, 'confirmed')
  expect(runner.inputs[0]).toEqual(DOWN)
  await leave()
  for (const client of clients) client.close()
}, 30_000)

test('leaving the match lets go of the keys; a lost connection takes them up again', async ({ rally, ada, ben }) => {
  const clients = [clientOf(rally.url, ada), clientOf(rally.url, ada), clientOf(rally.url, ben)] as const
  const { tabs, runner, leave } = await inTwoTabs(rally, clients)
  const [one, other] = tabs
  one.play.input(UP)
  await untilHeld(runner, UP)
  one.play.stop()
  await untilHeld(runner, IDLE)
  other.play.input(DOWN)
  await untilHeld(runner, DOWN)
  const before = runner.log.length
  other.client.reconnect()
  await expect.poll(() => runner.log.slice(before).map(({ input }) => input), { timeout: 5_000 }).toEqual([IDLE, DOWN])
  await next(other.play, 'confirmed')
  await next(other.play, 'confirmed')
  expect(runner.inputs[0]).toEqual(DOWN)
  await leave()
  for (const client of clients) client.close()
}, 30_000)

test('an input that is over the limit is sent again: a released key is never lost', async ({ ada, ben, rally }) => {
  const clients = [clientOf(rally.url, ada), clientOf(rally.url, ada), clientOf(rally.url, ben)] as const
  const { tabs, runner, leave } = await inTwoTabs(rally, clients)
  const { play, client } = tabs[0]
  const refused: string[] = []
  client.on('error', ({ code }) => refused.push(code))
  for (let press = 0; press < 200; press++) play.input(press % 2 === 0 ? UP : DOWN)
  play.input(IDLE)
  await expect.poll(() => refused.length, { timeout: 5_000 }).toBeGreaterThan(0)
  expect(new Set(refused)).toEqual(new Set(['RATE_LIMITED']))
  await untilHeld(runner, IDLE)
  await next(play, 'confirmed')
  await next(play, 'confirmed')
  expect(runner.inputs[0]).toEqual(IDLE)
  await leave()
  for (const client of clients) client.close()
}, 30_000)
