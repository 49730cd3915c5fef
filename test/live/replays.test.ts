import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { packInputs } from '../../src/engine/index.ts'
import { type StoredMatch, verify as verifyStored } from '../../src/engine/verify.ts'
import { winnerOf } from '../../src/games/game.ts'
import { hashState } from '../../src/games/hash.ts'
import { games } from '../../src/games/index.ts'
import type { InputChange } from '../../src/games/simulate.ts'
import type { Replay } from '../../src/modules/live/types.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { rallyTest } from '../support/rally-test.ts'
import type { Player, Rally } from '../support/server.ts'
import { simulate } from '../support/simulate.ts'
import { createLocal, ended, enterLive, follow, quickStart, sendInput, whenLive } from './live-client.ts'

const SCRIPT = fileURLToPath(new URL('../../scripts/verify.ts', import.meta.url))

const test = rallyTest({ config: quickStart })

interface Run {
  readonly code: number
  readonly out: string
}

function verify(rally: Rally, ...args: string[]): Promise<Run> {
  const env = { ...process.env, DATABASE_URL: rally.database.url }
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', SCRIPT, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: stdout + stderr })
    })
  })
}

/** Plays a match of Pong to its end with keys pressed now and then, some of them late. */
async function playPong(rally: Rally, ada: Player): Promise<Match['id']> {
  await using live = await enterLive(rally.url, ada)
  const match = await createLocal(live, 'pong', { pointsToWin: 1 })
  const mirror = await follow(live, match.id)
  const tick = await whenLive(rally, live, match.id)
  const over = ended(live)
  for (let press = 0; press < 10; press++) {
    sendInput(live, mirror, Math.max(0, tick() - (press % 5)), press % 2, press % 3)
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
  await over
  return match.id
}

describe('a finished match', () => {
  let matchId: Match['id']
  let replay: Replay

  test.beforeAll(async ({ rally, ada }) => {
    matchId = await playPong(rally, ada)
    await using anybody = await enterLive(rally.url)
    replay = await anybody.client.call<Replay>('live.getReplay', { matchId })
  }, 60_000)

  test('can be played again from what everybody may read of it', async ({ database }) => {
    const row = await database.db.match.findUniqueOrThrow({ where: { id: matchId } })
    expect(replay).toMatchObject({
      matchId,
      game: 'pong',
      rulesVersion: games.pong.version,
      seed: row.seed,
      options: { pointsToWin: 1 },
      ticks: row.ticks,
      winnerSeat: row.winnerSeat,
      next: null,
      endReason: null,
    })
    expect(replay.players.map(({ seat, username }) => [seat, username])).toEqual([
      [0, 'ada'],
      [1, 'ada'],
    ])
    expect(replay.changes.length).toBeGreaterThan(3)
    const changes = replay.changes.map(([tick, seat, input]) => ({ tick, seat, input: games.pong.input.parse(input) }))
    const { seed, ticks } = replay
    const state = simulate(games.pong, { seed, options: { pointsToWin: 1 }, changes, ticks })
    expect(hashState(state)).toBe(hashState(row.finalState))
    expect(games.pong.outcome(state)).toEqual({ placements: row.placements, scores: replay.scores })
    expect(winnerOf(row.placements)).toBe(replay.winnerSeat)
  })

  test('is verified, and is not once anything of it was changed', async ({ rally, database }) => {
    expect(await verify(rally, matchId)).toEqual({
      code: 0,
      out: expect.stringMatching(/^match \S+: pong, \d+ ticks, \d+ inputs, \d:\d, seat \d wins: verified\n$/),
    })
    const { seed } = await database.db.match.findUniqueOrThrow({ where: { id: matchId } })
    await database.db.match.update({ where: { id: matchId }, data: { seed: seed + 1 } })
    const { code, out } = await verify(rally, matchId)
    expect(out).toMatch(/differs in the final state: stored [0-9a-f]{8}, simulated [0-9a-f]{8}/)
    expect(code).toBe(1)
    await database.db.match.update({ where: { id: matchId }, data: { seed } })
  }, 60_000)

  test('differs from what was stored once anything of that was changed', async ({ database }) => {
    const row = await database.db.match.findUniqueOrThrow({ where: { id: matchId } })
    const stored = { ...row, options: replay.options, scores: replay.scores }
    const differencesOf = (change: Partial<StoredMatch>) =>
      verifyStored(games.pong, { ...stored, ...change }).differences.join('; ')
    const ticks = row.ticks ?? 0
    const [own = 0, others = 0] = replay.scores
    expect(differencesOf({})).toBe('')
    expect(differencesOf({ winnerSeat: 1 - (row.winnerSeat ?? 0) })).toMatch(
      /^the winner: stored seat \d, simulated seat \d$/,
    )
    expect(differencesOf({ winnerSeat: null })).toMatch(/^the winner: stored none, simulated seat \d$/)
    expect(differencesOf({ scores: [others, own] })).toMatch(/^the scores: stored \d,\d, simulated \d,\d$/)
    expect(differencesOf({ seed: row.seed + 1 })).toMatch(/^the final state/)
    expect(differencesOf({ finalState: {} })).toMatch(/^the final state/)
    expect(differencesOf({ ticks: ticks - 30 })).toMatch(/the ticks: stored \d+, simulated undecided/)
    expect(differencesOf({ ticks: ticks + 100 })).toMatch(/^the ticks: stored \d+, simulated decided 100 before$/)
    expect(differencesOf({ ticks: null })).toMatch(/cannot be read/)
    expect(differencesOf({ inputs: packInputs([]) })).toMatch(/^the final state/)
    expect(differencesOf({ inputs: { inputs: [], changes: 'AAAA' } })).toMatch(/cannot be read/)
    expect(differencesOf({ inputs: 'rubbish' })).toMatch(/cannot be read/)
    expect(differencesOf({ inputs: packInputs([{ tick: 1, seat: 7, input: { move: 1 } }]) })).toMatch(
      /no seat 7 in pong/,
    )
    expect(differencesOf({ rulesVersion: 99 })).toMatch(/^it was played by rules 99 of pong, and these are rules \d$/)
    expect(differencesOf({ endReason: 'forfeit' })).toMatch(/^the end: stored forfeit, simulated decided by the rules$/)
  })

  test('of an hour comes in answers that a socket can take', async ({ rally, database }) => {
    const { id, ...row } = await database.db.match.findUniqueOrThrow({ where: { id: matchId } })
    const log: InputChange[] = Array.from({ length: 40_000 }, (_, index) => ({
      tick: index * 5,
      seat: index % 2,
      input: { move: (index % 3) - 1 },
    }))
    const long = await database.db.match.create({
      data: {
        ...row,
        id: `${id.slice(0, 30)}long`,
        code: 'LONG22',
        ticks: 200_000,
        options: row.options ?? {},
        finalState: row.finalState ?? {},
        inputs: packInputs(log) as object,
      },
    })
    const stored = JSON.stringify(long.inputs)
    expect(stored.length).toBeLessThan(40_000 * 5)
    await using live = await enterLive(rally.url)
    const changes: Replay['changes'] = []
    let next: number | null = 0
    let answers = 0
    while (next !== null) {
      const part: Replay = await live.client.call<Replay>('live.getReplay', { matchId: long.id, from: next })
      expect(JSON.stringify(part).length).toBeLessThan(512 * 1024)
      changes.push(...part.changes)
      next = part.next
      answers++
    }
    expect(changes).toEqual(log.map(({ tick, seat, input }) => [tick, seat, input]))
    expect(answers).toBeGreaterThan(1)
    const beyond = await live.client.call<Replay>('live.getReplay', { matchId: long.id, from: 1_000_000 })
    expect(beyond).toMatchObject({ changes: [], next: null })
  }, 30_000)
})

test('a forfeited match is verified up to its end, and the forfeit is named', async ({ rally, ada, ben }) => {
  await using live = await enterLive(rally.url, ada)
  await using other = await enterLive(rally.url, ben)
  const match = await live.client.call<Match>('matches.create', { game: 'pong', mode: 'casual' })
  const mirror = await follow(live, match.id)
  await other.client.call('matches.join', { matchId: match.id })
  const tick = await whenLive(rally, live, match.id)
  sendInput(live, mirror, tick(), 0, 2)
  await live.frames.next(() => mirror.changedAt.length > 0)
  await other.client.call('matches.leave', { matchId: match.id })
  await ended(live)
  expect(mirror.ended?.status).toBe('finished')
  for (const { own, server } of mirror.checks) expect(own).toBe(server)
  const replay = await live.client.call<Replay>('live.getReplay', { matchId: match.id })
  expect(replay).toMatchObject({ winnerSeat: 0, endReason: 'forfeit', changes: [[expect.any(Number), 0, { move: 1 }]] })
  expect(await verify(rally, match.id)).toEqual({
    code: 0,
    out: expect.stringContaining('seat 0 wins by forfeit, which no simulation can tell'),
  })
}, 60_000)

test('a turn-based match has a replay too', async ({ rally, ada }) => {
  await using live = await enterLive(rally.url, ada)
  const match = await createLocal(live, 'connect-four', { first: 0 })
  const mirror = await follow(live, match.id)
  await whenLive(rally, live, match.id)
  for (let turn = 0; turn < 7; turn++) sendInput(live, mirror, turn, turn % 2, (turn % 2) + 1)
  await ended(live)
  const replay = await live.client.call<Replay>('live.getReplay', { matchId: match.id })
  expect(replay.changes).toEqual(Array.from({ length: 7 }, (_, turn) => [turn, turn % 2, { column: turn % 2 }]))
}, 60_000)

test('what is not finished or not there has no replay and is not verified', async ({ rally, ada }) => {
  await using live = await enterLive(rally.url, ada)
  const match = await live.client.call<Match>('matches.create', { game: 'pong', mode: 'casual' })
  expect((await live.client.request('live.getReplay', { matchId: match.id })).error).toBe('NOT_FINISHED')
  await live.client.call('matches.leave', { matchId: match.id })
  expect((await live.client.request('live.getReplay', { matchId: match.id })).error).toBe('NOT_FINISHED')
  expect((await live.client.request('live.getReplay', { matchId: 'none' })).error).toBe('NOT_FOUND')
  expect(await verify(rally, 'none')).toMatchObject({ code: 1, out: 'match none: there is no such match\n' })
  expect((await verify(rally)).code).toBe(2)
}, 60_000)
