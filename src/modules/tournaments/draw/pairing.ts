import type { Pairing } from '../types.ts'

/** A pairing of which nothing is played. */
export function newPairing(round: number, slot: number, seeds: Pairing['seeds']): Pairing {
  return {
    round,
    slot,
    seeds,
    status: 'pending',
    winner: null,
    decidedBy: null,
    scores: null,
    matchId: null,
    matches: 0,
    comeBy: null,
  }
}
