import { useState } from 'react'
import type { User } from '../../src/modules/auth/types.ts'
import { Connecting, ConnectionBanner } from './connection-notices.tsx'
import { Header } from './header.tsx'
import { useOwnAccount } from './hooks/use-own-account.ts'
import { NetworkPanel } from './network/network-panel.tsx'
import { InviteToasts } from './notifications/invite-toasts.tsx'
import { useInvites } from './notifications/use-invites.ts'
import { isOn, OtherMatchNotice, useOwnMatches } from './own-matches.tsx'
import { AccountPage } from './pages/account/account-page.tsx'
import { BannedPage } from './pages/banned-page.tsx'
import { HistoryPage } from './pages/history-page.tsx'
import { JoinPage } from './pages/join-page.tsx'
import { KeepCodesPage } from './pages/keep-codes-page.tsx'
import { LobbyPage } from './pages/lobby/lobby-page.tsx'
import { MatchPage } from './pages/match/match-page.tsx'
import { SignInPage } from './pages/sign-in/sign-in-page.tsx'
import { QueueNotice } from './queue/queue-notice.tsx'
import { useRefusal, useStatus, useUser } from './rally.ts'
import { parseRoute, type Route, usePath } from './router.tsx'
import { CrashGuard, later } from './ui/error-boundaries.tsx'
import { Loading } from './ui/notice.tsx'
import { MessagePage, TabAlert } from './ui/page.tsx'
import { useUnkeptCodes } from './unkept-codes.ts'

const AdminPage = later(() => import('./pages/admin/admin-page.tsx').then(({ AdminPage }) => AdminPage), 'Loading…')
const DocsPage = later(() => import('./pages/docs/docs-page.tsx').then(({ DocsPage }) => DocsPage), 'Loading…')
const LeaderboardPage = later(
  () => import('./pages/leaderboard/leaderboard-page.tsx').then(({ LeaderboardPage }) => LeaderboardPage),
  'Loading…',
)
const PeoplePage = later(() => import('./pages/people-page.tsx').then(({ PeoplePage }) => PeoplePage), 'Loading…')
const RoomPage = later(() => import('./pages/rooms/room-page.tsx').then(({ RoomPage }) => RoomPage), 'Loading…')
const RoomsPage = later(() => import('./pages/rooms/rooms-page.tsx').then(({ RoomsPage }) => RoomsPage), 'Loading…')
const TournamentPage = later(
  () => import('./pages/tournaments/tournament-page.tsx').then(({ TournamentPage }) => TournamentPage),
  'Loading…',
)
const TournamentsPage = later(
  () => import('./pages/tournaments/tournaments-page.tsx').then(({ TournamentsPage }) => TournamentsPage),
  'Loading…',
)
const ProfilePage = later(
  () => import('./pages/profile/profile-page.tsx').then(({ ProfilePage }) => ProfilePage),
  'Loading…',
)
const ReplayPage = later(() => import('./pages/replay-page.tsx').then(({ ReplayPage }) => ReplayPage), 'Loading…')

/** The pages that show a visitor who is not signed in what anyone may read. */
const FOR_ANYONE: readonly Route['page'][] = [
  'docs',
  'leaderboard',
  'match',
  'profile',
  'replay',
  'tournament',
  'tournaments',
]

export function App() {
  const path = usePath()
  const route = parseRoute(path)
  const user = useUser()
  const account = useOwnAccount()
  const refusal = useRefusal()
  const status = useStatus()
  const [wasOpen, setWasOpen] = useState(false)
  if (status === 'open' && !wasOpen) setWasOpen(true)
  const unkept = useUnkeptCodes()
  const { open, pressing, putAside } = useInvites(route.page === 'match' ? route.matchId : null)
  const { other, isPlaying } = useOwnMatches(route, open.map(({ id }) => id).join())
  // Nobody is disturbed who plays.
  const toasts = isPlaying ? [] : pressing
  // One of them tells of the match.
  const otherMatch = toasts.some(({ matchId }) => matchId === other?.id) ? null : other

  const page = () => {
    if (refusal?.code === 'BANNED') return <BannedPage reason={refusal.message} />
    if (!wasOpen && !user) return <Connecting />
    if (unkept) return <KeepCodesPage unkept={unkept} path={path} />
    if (!user && !FOR_ANYONE.includes(route.page)) return <SignInPage intent={intentOf(route)} />
    return <Routed route={route} account={account} />
  }

  return (
    <>
      <a className="button skip" href="#main">
        Skip to the content
      </a>
      <Header route={route} isAdmin={account?.role === 'admin'} invites={open} />
      <main id="main" className="main" tabIndex={-1}>
        <div className="wrap">
          {!unkept && <OtherMatchNotice match={otherMatch} />}
          {user && !unkept && <QueueNotice route={route} isPlaying={isPlaying} />}
          <TabAlert value={other && isOn(other) ? 'Your match is on!' : null}>
            <CrashGuard key={unkept ? 'unkept-codes' : path}>{page()}</CrashGuard>
          </TabAlert>
        </div>
      </main>
      <InviteToasts invites={toasts} putAside={putAside} />
      <ConnectionBanner />
      <NetworkPanel />
    </>
  )
}

function Routed({ route, account }: { route: Route; account: User | null }) {
  switch (route.page) {
    case 'lobby':
      return <LobbyPage />
    case 'match':
      return <MatchPage key={route.matchId} matchId={route.matchId} />
    case 'replay':
      return <ReplayPage key={route.matchId} matchId={route.matchId} />
    case 'join':
      return <JoinPage key={route.code} code={route.code} />
    case 'history':
      return <HistoryPage />
    case 'leaderboard':
      return <LeaderboardPage />
    case 'tournaments':
      return <TournamentsPage />
    case 'tournament':
      return <TournamentPage key={route.tournamentId} tournamentId={route.tournamentId} />
    case 'rooms':
      return <RoomsPage />
    case 'room':
      return <RoomPage key={route.roomId} roomId={route.roomId} />
    case 'account':
      return <AccountPage account={account} />
    case 'people':
      return <PeoplePage />
    case 'docs':
      return <DocsPage />
    case 'profile':
      return <ProfilePage key={route.username} username={route.username} />
    case 'admin':
      // Others do not load it, and are told what they are told of any path that is not theirs.
      if (!account) return <Loading>Loading…</Loading>
      return account.role === 'admin' ? <AdminPage part={route.part} /> : <UnknownPage />
    case 'unknown':
      return <UnknownPage />
  }
}

function UnknownPage() {
  return (
    <MessagePage title="Out!">
      <p>There is no page at this address.</p>
    </MessagePage>
  )
}

/** Why a signed-out visitor is asked to sign in; null where there is no special reason. */
function intentOf(route: Route): string | null {
  switch (route.page) {
    case 'join':
      return 'You have been invited to a match. Sign in, or choose a name, and you are in.'
    case 'room':
      return 'You have been invited to a room. Sign in, or choose a name, and you are in.'
    case 'history':
    case 'rooms':
    case 'account':
    case 'people':
    case 'admin':
      return 'Sign in to see this page.'
    default:
      return null
  }
}
