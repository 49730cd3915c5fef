import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { drawBracket } from '../../src/modules/tournaments/draw/bracket.ts'
import { drawRoundRobin } from '../../src/modules/tournaments/draw/round-robin.ts'
import { toTournament } from '../../src/modules/tournaments/tournament-feed.ts'
import {
  type Pairing,
  type Tournament,
  type TournamentFormat,
  TournamentId,
} from '../../src/modules/tournaments/types.ts'
import { MatchId, UserId } from '../../src/modules/wire.ts'

/** An event of `tournaments.onUpdate` whose texts are as long as they may be. The options of the game are not counted. */
function largest(format: TournamentFormat, players: number, pairings: readonly Pairing[]): Tournament {
  const shown = (length: number) => '\u{1F3D3}'.repeat(length)
  const user = (at: number) => ({
    userId: UserId.parse(randomUUID()),
    username: `player_${at}`.padEnd(20, 'x'),
    displayName: shown(30),
  })
  return toTournament({
    id: TournamentId.parse(randomUUID()),
    version: 1_000,
    name: shown(60),
    game: 'connect-four',
    format,
    size: players,
    options: {},
    status: 'finished',
    owner: user(0),
    entrantCount: players,
    winnerSeed: 1,
    createdAt: Date.now(),
    startedAt: Date.now(),
    finishedAt: Date.now(),
    endReason: null,
    entrants: Array.from({ length: players }, (_, at) => ({
      ...user(at),
      number: at + 1,
      seed: at + 1,
      withdrawn: false,
    })),
    pairings: pairings.map((pairing) => ({
      ...pairing,
      seeds: [players - 1, players],
      status: 'decided',
      winner: players,
      decidedBy: 'unplayed',
      scores: [100, 100],
      matchId: MatchId.parse(randomUUID()),
      matches: 3,
      comeBy: Date.now(),
    })),
  })
}

test('an event of the largest tournaments has at most 40 KiB', () => {
  const bracket = largest('single-elimination', 64, drawBracket(64))
  const league = largest('round-robin', 16, drawRoundRobin(16))
  const sizes = [bracket, league].map((tournament) => Buffer.byteLength(JSON.stringify(tournament)))
  expect(bracket.pairings.length).toBe(63)
  expect(league.pairings.length).toBe(120)
  expect(Math.max(...sizes)).toBeLessThan(40 * 1024)
})
