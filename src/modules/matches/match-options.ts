import { z } from 'zod'
import { type AnyGame, type Games, gameOf, type SchemaError } from '../../games/game.ts'
import { RpcError, toIssues } from '../../rpc/index.ts'

export const MAX_SPECTATOR_DELAY_MS = 60_000

/** Options of a match of any game, beside the game's own options. */
const MatchOptions = z.looseObject({
  /** How far behind the match spectators see it. */
  spectatorDelayMs: z.number().int().min(0).max(MAX_SPECTATOR_DELAY_MS).default(0),
})

/** Splits the options of a stored match into those of any match and `rules`, the game's own options. */
export function splitOptions(options: unknown): { spectatorDelayMs: number; rules: Record<string, unknown> } {
  const { spectatorDelayMs, ...rules } = MatchOptions.parse(options)
  return { spectatorDelayMs, rules }
}

/** @throws RpcError VALIDATION_FAILED when this server has no such game. */
export function offeredGame(games: Games, name: string): AnyGame {
  const game = gameOf(games, name)
  if (game) return game
  const issues = [{ path: 'game', message: `Choose one of: ${Object.keys(games).join(', ')}` }]
  throw new RpcError('VALIDATION_FAILED', 'There is no such game', { issues })
}

/** Checks the options of a new match and fills in their defaults. @throws RpcError VALIDATION_FAILED */
export function checkOptions(game: AnyGame, options: unknown): Record<string, unknown> {
  const common = MatchOptions.safeParse(options)
  if (!common.success) throw invalidOptions(common.error)
  const { spectatorDelayMs, ...rules } = common.data
  const own = game.options.safeParse(rules)
  if (!own.success) throw invalidOptions(own.error)
  return { ...own.data, ...(spectatorDelayMs > 0 ? { spectatorDelayMs } : {}) }
}

function invalidOptions(error: Pick<SchemaError, 'issues'>): RpcError {
  return new RpcError('VALIDATION_FAILED', 'The options are not valid', { issues: toIssues(error, 'options') })
}
