import { createClient } from '../../src/client/index.ts'
import type { Api } from '../../src/modules/index.ts'

/** The server's own `Api`, as a page uses it; checked by the compiler alone. */
export async function types(): Promise<void> {
  const rally = createClient<Api>()
  const match = await rally.matches.create({ game: 'pong', mode: 'casual' })
  const joined = await rally.matches.join.try({ code: match.code })
  if (!joined.ok && joined.error.code === 'MATCH_FULL') return

  rally.matches.onUpdate(
    { matchId: match.id },
    {
      next: ({ players, version }) => [players.length, version],
      error(error) {
        if (error.code === 'NOT_FOUND') return
        // @ts-expect-error only joining fails so
        if (error.code === 'MATCH_FULL') return
      },
    },
  )
  // @ts-expect-error there is no such method
  rally.matches.steal({ matchId: match.id })
  // @ts-expect-error neither an id nor a code
  rally.matches.join({ id: match.id })
  // @ts-expect-error a name is no id of a match
  rally.matches.getOne({ matchId: 5 })
}
