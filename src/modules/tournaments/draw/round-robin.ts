import type { Pairing } from '../types.ts'
import { newPairing } from './pairing.ts'

/**
 * The pairings of a round robin by the circle method: one player keeps the place, and the others move on by one place each
 * round. Everybody meets everybody once, and plays at most once a round. With an odd number nobody is at the fixed place,
 * and its opponent is free. Everybody has seat 0 as often as the other seat, or once more or less.
 */
export function drawRoundRobin(players: number): Pairing[] {
  const rounds = players % 2 === 0 ? players - 1 : players
  const fixed = rounds + 1
  return Array.from({ length: rounds }, (_, index) => {
    const circle = [fixed, ...Array.from({ length: rounds }, (_, place) => ((place + index) % rounds) + 1)]
    return Array.from({ length: fixed / 2 }, (_, slot) => inSeats(circle[slot] ?? 0, circle[rounds - slot] ?? 0))
      .filter((seeds) => !seeds.some((seed) => seed > players))
      .map((seeds, slot) => newPairing(index + 1, slot, seeds))
  }).flat()

  /** Each player of the circle has seat 0 against every second one that follows; the fixed player every second round. */
  function inSeats(one: number, other: number): [number, number] {
    const isFirst = one === fixed ? other % 2 === 0 : ((other - one + rounds) % rounds) % 2 === 1
    return isFirst ? [one, other] : [other, one]
  }
}
