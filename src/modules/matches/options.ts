import { z } from 'zod'

export const MAX_SPECTATOR_DELAY_MS = 60_000

/** What may be set for a match of any game, beside the game's own options. */
export const MatchOptions = z.looseObject({
  /** How far behind the match those see it who do not play in it. */
  spectatorDelayMs: z.number().int().min(0).max(MAX_SPECTATOR_DELAY_MS).default(0),
})

/** Tells the options of a stored match apart: those of any match, and `rules`, the game's own. */
export function splitOptions(options: unknown): { spectatorDelayMs: number; rules: Record<string, unknown> } {
  const { spectatorDelayMs, ...rules } = MatchOptions.parse(options)
  return { spectatorDelayMs, rules }
}

/** How far behind the match those see it who do not play in it, ms. */
export function spectatorDelayOf({ spectatorDelayMs }: Readonly<Record<string, unknown>>): number {
  return typeof spectatorDelayMs === 'number' ? spectatorDelayMs : 0
}
