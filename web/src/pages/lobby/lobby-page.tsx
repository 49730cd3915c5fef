import { JoinByCode } from '../../join-by-code.tsx'
import { useRally, useUser } from '../../rally.ts'
import { paths } from '../../router.tsx'
import { Page } from '../../ui/page.tsx'
import { MatchLists } from './match-lists.tsx'
import { PlayNow } from './play-now.tsx'
import { StartMatch } from './start-match.tsx'

export function LobbyPage() {
  const user = useUser()
  if (!user) return null
  return (
    <Page title="Lobby">
      <PlayNow />
      <div className="lobby">
        <div className="stack lobby-start">
          <StartMatch />
          <JoinMatch />
        </div>
        <MatchLists userId={user.id} />
      </div>
    </Page>
  )
}

function JoinMatch() {
  const rally = useRally()
  return (
    <JoinByCode
      label="Code of the match"
      notFound="No match with that code is waiting. Check it, or ask for a new one."
      join={async (code, call) => paths.match((await rally.matches.join({ code }, call)).id)}
      testIds={{ code: 'join-code', submit: 'submit-join' }}
    />
  )
}
