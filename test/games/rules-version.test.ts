import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type AnyGame, type Games, winnerOf } from '../../src/games/game.ts'
import { hashState } from '../../src/games/hash.ts'
import { games } from '../../src/games/index.ts'
import { nextInt, seedPrng } from '../../src/games/prng.ts'
import { HeldInputs } from '../../src/games/simulate.ts'

const FILE = 'test/games/rules-versions.json'
const SEEDS = 20
const TICKS = 3_000

/** What the rules make of the same seeds and inputs: another number for rules that give another game. */
function fingerprintOf(game: AnyGame): string {
  const { name, seats, tickRate, idle, inputs = null } = game
  const ends: unknown[] = [{ name, seats, tickRate, idle, inputs }]
  for (let seed = 1; seed <= SEEDS; seed++) {
    const state = game.init({ seed, options: game.options.parse({}) })
    const script = seedPrng(seed)
    const held = new HeldInputs<unknown>(game)
    for (let tick = 0; tick < TICKS && !game.outcome(state); tick++) {
      const seat = nextInt(script, seats)
      // A change of a bot changes no rules: it plays only where there is no table to draw from.
      held.set(seat, inputs ? inputs[nextInt(script, inputs.length)] : game.bot(state, seat))
      game.step(state, held.current)
      held.settle()
      if (tick % 100 === 0) ends.push(hashState(state))
    }
    const outcome = game.outcome(state)
    const end = outcome && { winnerSeat: winnerOf(outcome.placements), scores: outcome.scores }
    ends.push(hashState({ state, outcome: end, scores: game.scores(state) }))
  }
  return hashState(ends).toString(16).padStart(8, '0')
}

const all: Games = games
const known = z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(FILE, 'utf8')))

test.each(Object.values(all))('the rules of $name are those of their version', (game) => {
  const version = `${game.name} ${game.version}`
  const fingerprint = fingerprintOf(game)
  const hint =
    version in known
      ? `The rules of ${game.name} changed: matches that are stored could not be played again. Give the game a new \`version\`, then run this test again.`
      : `New rules: add "${version}": "${fingerprint}" to ${FILE}.`
  expect(known[version], hint).toBe(fingerprint)
})
