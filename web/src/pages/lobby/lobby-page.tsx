import { useUser } from '../../rally.ts'
import { Page } from '../../ui/page.tsx'
import { JoinByCode } from './join-by-code.tsx'
import { MatchLists } from './match-lists.tsx'
import { StartMatch } from './start-match.tsx'

export function LobbyPage() {
  const user = useUser()
  if (!user) return null
  return (
    <Page title="Lobby">
      <div className="lobby">
        <div className="stack lobby-start">
          <StartMatch />
          <JoinByCode />
        </div>
        <MatchLists userId={user.id} />
      </div>
    </Page>
  )
}
