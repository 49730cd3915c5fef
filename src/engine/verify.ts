import { type AnyGame, type Outcome, winnerOf } from '../games/game.ts'
import { hashState } from '../games/hash.ts'
import { Simulation } from '../games/simulate.ts'
import { unpackInputs } from './pack-inputs.ts'

/** What is stored of a finished match. */
export interface StoredMatch {
  readonly rulesVersion: number
  readonly seed: number
  readonly options: unknown
  readonly ticks: number | null
  readonly finalState: unknown
  /** As `packInputs` made them. */
  readonly inputs: unknown
  readonly winnerSeat: number | null
  readonly scores: readonly number[]
  /** Null for a match that its rules ended. */
  readonly endReason: string | null
}

export interface Verification {
  /** What differs, in words; empty when the inputs give the stored result. */
  readonly differences: readonly string[]
  readonly ticks: number
  readonly inputs: number
}

/** How long a match may go on after a late input has decided it: the most that `MAX_REWIND_MS` allows (config.ts). */
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
  const results = [
    ['the final state', nameOfState(stored.finalState), nameOfState(simulation.state)],
    ['the scores', String(stored.scores), String(game.scores(simulation.state))],
  ]
  const { endReason, winnerSeat } = stored
  if (endReason !== null) {
    if (outcome) results.push(['the end', endReason, 'decided by the rules'])
  } else if (!outcome) results.push(['the ticks', String(ticks), 'undecided after as many'])
  else {
    const late = ticks - decidedAt
    if (late > MAX_LATE_SECONDS * game.tickRate) results.push(['the ticks', String(ticks), `decided ${late} before`])
    results.push(['the winner', nameOfSeat(winnerSeat), nameOfSeat(winnerOf(outcome.placements))])
  }
  const differences = results.filter(([, stored, simulated]) => stored !== simulated)
  return answer(differences.map(([what, stored, simulated]) => `${what}: stored ${stored}, simulated ${simulated}`))
}

function nameOfState(state: unknown): string {
  return hashState(state).toString(16).padStart(8, '0')
}

function nameOfSeat(seat: number | null): string {
  return seat === null ? 'none' : `seat ${seat}`
}
