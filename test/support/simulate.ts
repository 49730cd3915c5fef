import type { Game } from '../../src/games/game.ts'
import { type InputLog, Simulation } from '../../src/games/simulate.ts'

/** The state after `log.ticks` steps. Throws a RangeError as `Simulation` does. */
export function simulate<State, Input, Options>(
  game: Game<State, Input, Options>,
  log: InputLog<Input, Options>,
): State {
  const simulation = new Simulation(game, log)
  simulation.seek(log.ticks)
  return simulation.state
}
