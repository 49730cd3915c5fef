import type { GameName } from '../../../src/games/index.ts'
import type { Match } from '../../../src/modules/matches/types.ts'
import { useRally } from '../rally.ts'
import { navigate, paths } from '../router.tsx'
import { useAction } from './use-action.ts'

export interface NewMatch {
  readonly game: GameName
  readonly mode: 'casual' | 'local' | 'bot'
  readonly visibility?: Match['visibility']
  readonly options?: Match['options']
}

/** Creates a match and goes to it. */
export function useCreateMatch() {
  const rally = useRally()
  return useAction(async (call, match: NewMatch) => {
    const { id } = await rally.matches.create(match, call)
    navigate(paths.match(id))
  })
}
