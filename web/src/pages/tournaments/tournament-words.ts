import type {
  CancelReason,
  TournamentFormat,
  TournamentStatus,
  TournamentSummary,
} from '../../../../src/modules/tournaments/types.ts'
import { viewOf } from '../../games/index.ts'

export const FORMATS: Readonly<Record<TournamentFormat, { label: string; about: string; sizes: readonly number[] }>> = {
  'single-elimination': {
    label: 'Knockout',
    about: 'Who loses a match is out. From 4 to 64 players; the best seeds may be free in the first round.',
    sizes: [4, 8, 16, 32, 64],
  },
  'round-robin': {
    label: 'Everybody plays everybody',
    about: 'A table decides: 2 points for a win, 1 for a draw. From 3 to 16 players.',
    sizes: [4, 6, 8, 12, 16],
  },
}

export const STATUS_WORDS: Readonly<Record<TournamentStatus, string>> = {
  open: 'Open',
  running: 'Running',
  finished: 'Finished',
  cancelled: 'Cancelled',
}

const CANCEL_WORDS: Readonly<Record<CancelReason, string>> = {
  owner: 'Its owner has cancelled it.',
  'owner-gone': 'Its owner is gone.',
  'not-started': 'It was not started within a week.',
  'game-gone': 'Its game is not offered any more.',
}

export function cancelWords(reason: CancelReason | null): string {
  return reason === null ? 'It was cancelled.' : CANCEL_WORDS[reason]
}

/** `Pong · Knockout`. */
export function kindOf({ game, format }: Pick<TournamentSummary, 'game' | 'format'>): string {
  return `${viewOf(game)?.label ?? game} · ${FORMATS[format].label}`
}
