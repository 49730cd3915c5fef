import { useLastMatch } from '../../hooks/use-last-match.ts'
import { useUser } from '../../rally.ts'
import { Link, paths } from '../../router.tsx'
import { Page } from '../../ui/page.tsx'
import { JoinByCode } from './join-by-code.tsx'
import { MatchLists } from './match-lists.tsx'
import { StartMatch } from './start-match.tsx'

export function LobbyPage() {
  const user = useUser()
  if (!user) return null
  return (
    <Page title="Lobby">
      <BackToMatch userId={user.id} />
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

function BackToMatch({ userId }: { userId: string }) {
  const match = useLastMatch(userId)
  if (!match) return null
  return (
    <div className="back-to-match" role="status">
      <span>
        <strong>{match.status === 'live' ? 'Your match is going on.' : 'Your match is waiting.'}</strong>
        {match.status === 'live' && ' It does not wait for you.'}
      </span>
      <Link className="button button-primary button-small" href={paths.match(match.id)}>
        Back to it
      </Link>
    </div>
  )
}
