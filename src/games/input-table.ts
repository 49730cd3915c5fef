import type { Game } from './game.ts'
import { isSameInput } from './simulate.ts'

/** The place of `input` in the game's table of inputs; -1 when it is not there or the game has no table. */
export function indexOfInput<Input>(game: Pick<Game<never, Input, never>, 'inputs'>, input: Input): number {
  const { inputs } = game
  if (inputs === undefined) return -1
  const known = inputs.indexOf(input)
  if (known >= 0) return known
  for (let index = 0; index < inputs.length; index++) if (isSameInput(inputs[index], input)) return index
  return -1
}
