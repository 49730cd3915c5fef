import type { AnyGame } from '../../src/games/game.ts'
import { hashState } from '../../src/games/hash.ts'
import { type GameName, games } from '../../src/games/index.ts'
import { nextInt, type PrngState, seedPrng } from '../../src/games/prng.ts'
import { HeldInputs } from '../../src/games/simulate.ts'

/** One game as an engine played it. Hashes are those of `hashState`. */
export interface Trace {
  /** Of the state before the first step, then after every `STRIDE` steps, then after the last. */
  readonly hashes: readonly number[]
  readonly ticks: number
  readonly isFinished: boolean
}

const MAX_TICKS = 2_400
const STRIDE: Record<GameName, number> = { pong: 60, 'connect-four': 4 }
/** Options to play with; a new game needs a line here. */
const OPTIONS: Record<GameName, readonly object[]> = {
  pong: [{ pointsToWin: 1 }, { pointsToWin: 2 }, { pointsToWin: 3 }, {}],
  'connect-four': [{ first: 0 }, { first: 1 }, { first: 'random' }, {}],
}

/**
 * Plays one random game: who sits on each seat does anything at all, plays like the bot, or changes between the two.
 * Everything follows from `seed`. Runs in Node and in a browser.
 */
export function playRandomGame(name: GameName, seed: number): Trace {
  const game: AnyGame = games[name]
  const prng = seedPrng(seed)
  const all = OPTIONS[name]
  const state = game.init({ seed, options: game.options.parse(all[nextInt(prng, all.length)]) })
  const held = new HeldInputs(game)
  const seats = Array.from({ length: game.seats }, () => ({ usesBot: false, until: 0 }))
  const hashes = [hashState(state)]
  let ticks = 0
  while (ticks < MAX_TICKS && game.outcome(state) === null) {
    seats.forEach((seat, index) => {
      const isChange = ticks >= seat.until
      if (isChange) {
        seat.usesBot = nextInt(prng, 2) === 0
        seat.until = ticks + 1 + nextInt(prng, game.tickRate === 0 ? 3 : 90)
      }
      if (seat.usesBot) held.set(index, game.bot(state, index))
      else if (isChange || game.tickRate === 0) held.set(index, randomInput(game, prng))
    })
    game.step(state, held.current)
    held.settle()
    ticks++
    if (ticks % STRIDE[name] === 0) hashes.push(hashState(state))
  }
  hashes.push(hashState(state))
  return { hashes, ticks, isFinished: game.outcome(state) !== null }
}

/** The games of the seeds from `from` on. */
export function playRandomGames(name: GameName, from: number, count: number): Trace[] {
  return Array.from({ length: count }, (_, index) => playRandomGame(name, from + index))
}

function randomInput(game: AnyGame, prng: PrngState): unknown {
  const { inputs = [game.idle] } = game
  return inputs[nextInt(prng, inputs.length)]
}
