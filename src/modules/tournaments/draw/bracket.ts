import type { Pairing } from '../types.ts'
import { newPairing } from './pairing.ts'

/**
 * The seeds of a full first round in the order of its slots, two a slot: `[1, 8, 4, 5, 2, 7, 3, 6]` for 8. While the better
 * seed wins, 1 and 2 meet in the final, the first four in the semifinals, and so on. `size` is a power of two.
 */
function seedOrder(size: number): number[] {
  let order = [1]
  while (order.length < size) {
    const sum = order.length * 2 + 1
    order = order.flatMap((seed) => [seed, sum - seed])
  }
  return order
}

/** How many rounds a bracket of `players` has. */
export function bracketRounds(players: number): number {
  return Math.ceil(Math.log2(players))
}

/** The pairings of a single elimination. Where players are missing to a power of two, the best seeds have a bye. */
export function drawBracket(players: number): Pairing[] {
  const rounds = bracketRounds(players)
  const order = seedOrder(2 ** rounds).map((seed) => (seed <= players ? seed : null))
  return Array.from({ length: rounds }, (_, index) =>
    Array.from({ length: 2 ** (rounds - index - 1) }, (_, slot) => {
      const seeds: Pairing['seeds'] =
        index === 0 ? [order[slot * 2] ?? null, order[slot * 2 + 1] ?? null] : [null, null]
      return newPairing(index + 1, slot, seeds)
    }),
  ).flat()
}
