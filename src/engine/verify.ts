import type { AnyGame, Outcome } from '../games/game.ts'
import { hashState } from '../games/hash.ts'
import { Simulation } from '../games/simulate.ts'
import { unpackInputs } from './pack-inputs.ts'

/** What is stored of a finished match. */
export interface StoredMatch {
  readonly rulesVersion: number
  readonly seed: number
  /** The game's own. */
  readonly options: unknown
  readonly ticks: number | null
  readonly finalState: unknown
  /** As `packInputs` made them. */
  readonly inputs: unknown
  readonly winnerSeat: number | null
  /** One a seat. */
  readonly scores: readonly number[]
  /** Null for a match that its rules ended. */
  readonly endReason: string | null
}

export interface Verification {
  /** What is not as it should be, in words; empty for a match that is what its inputs make of it. */
  readonly differences: readonly string[]
  readonly ticks: number
  readonly inputs: number
}

/** A late input may have decided the match in the past, so that it went on for as long as inputs may be late: 1 s. */
const MAX_LATE_SECONDS = 1

/** Plays a stored match again from its inputs, and compares what comes out with what was stored. */
export function verify(game: AnyGame, stored: StoredMatch): Verification {
  const { seed, options, rulesVersion } = stored
  const ticks = stored.ticks ?? 0
  const changes = unpackInputs(stored.inputs)
  const inputs = changes?.length ?? 0
  const answer = (differences: readonly string[]): Verification => ({ differences, ticks, inputs })
  if (rulesVersion !== game.version) {
    return answer([`it was played by rules ${rulesVersion} of ${game.name}, and these are rules ${game.version}`])
  }
  if (changes === null || stored.ticks === null) return answer(['its inputs cannot be read'])
  let simulation: Simulation<unknown, unknown, unknown>
  try {
    simulation = new Simulation(game, { seed, options, changes, ticks })
  } catch (error) {
    return answer([`its inputs are none of ${game.name}: ${error instanceof Error ? error.message : String(error)}`])
  }
  let outcome: Outcome | null = null
  while (outcome === null && simulation.advance()) outcome = game.outcome(simulation.state)
  const decidedAt = simulation.tick
  simulation.seek(ticks)
  return answer([
    ...differencesOfState(game, simulation.state, stored),
    ...differencesOfEnd(game, outcome, ticks - decidedAt, stored),
  ])
}

function differencesOfState(game: AnyGame, state: unknown, stored: StoredMatch): string[] {
  const hash = hashState(state)
  const storedHash = hashState(stored.finalState)
  const scores = game.scores(state)
  return [
    ...(hash === storedHash ? [] : [`the final state: stored ${hex(storedHash)}, simulated ${hex(hash)}`]),
    ...(isSame(scores, stored.scores) ? [] : [`the scores: stored ${stored.scores}, simulated ${scores}`]),
  ]
}

function differencesOfEnd(game: AnyGame, outcome: Outcome | null, ticksAfter: number, stored: StoredMatch): string[] {
  if (stored.endReason !== null) {
    return outcome === null ? [] : [`the end: stored ${stored.endReason}, simulated decided by the rules`]
  }
  if (outcome === null) return [`the ticks: stored ${stored.ticks}, simulated undecided after as many`]
  return [
    ...(ticksAfter > MAX_LATE_SECONDS * game.tickRate
      ? [`the ticks: stored ${stored.ticks}, simulated decided ${ticksAfter} before`]
      : []),
    ...(outcome.winnerSeat === stored.winnerSeat
      ? []
      : [`the winner: stored ${nameOf(stored.winnerSeat)}, simulated ${nameOf(outcome.winnerSeat)}`]),
  ]
}

function nameOf(seat: number | null): string {
  return seat === null ? 'none' : `seat ${seat}`
}

function hex(hash: number): string {
  return hash.toString(16).padStart(8, '0')
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}
