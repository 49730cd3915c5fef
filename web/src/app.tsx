import { useEffect, useState } from 'react'
import { Banner, Header } from './header.tsx'
import { NetPanel } from './network/network-panel.tsx'
import { OtherMatchNotice } from './own-matches/other-match-notice.tsx'
import { isOn, useOtherMatch } from './own-matches/own-matches.ts'
import { AccountPage } from './pages/account/account-page.tsx'
import { HistoryPage } from './pages/history-page.tsx'
import { JoinPage } from './pages/join-page.tsx'
import { KeepCodesPage } from './pages/keep-codes-page.tsx'
import { LobbyPage } from './pages/lobby/lobby-page.tsx'
import { MatchPage } from './pages/match/match-page.tsx'
import { SignInPage } from './pages/sign-in/sign-in-page.tsx'
import { useStatus, useUser } from './rally.ts'
import { Link, parseRoute, paths, type Route, usePath } from './router.tsx'
import { CrashGuard, later } from './ui/error-boundaries.tsx'
import { Loading } from './ui/notice.tsx'
import { Page, TabAlert } from './ui/page.tsx'
import { useUnkeptCodes } from './unkept-codes.ts'

const ReplayPage = later(() => import('./pages/replay-page.tsx').then(({ ReplayPage }) => ReplayPage), 'Loading…')

export function App() {
  const path = usePath()
  const route = parseRoute(path)
  const user = useUser()
  const status = useStatus()
  const [wasOpen, setWasOpen] = useState(false)
  if (status === 'open' && !wasOpen) setWasOpen(true)
  const unkept = useUnkeptCodes()
  const otherMatch = useOtherMatch(route)

  const page = () => {
    if (!wasOpen && !user) return <Connecting />
    if (unkept) return <KeepCodesPage unkept={unkept} path={path} />
    const mayStay = user || route.page === 'match' || route.page === 'replay'
    if (!mayStay) return <SignInPage intent={intentOf(route)} />
    return <Routed route={route} />
  }

  return (
    <>
      <a className="button skip" href="#main">
        Skip to the content
      </a>
      <Header route={route} />
      <main id="main" className="main" tabIndex={-1}>
        <div className="wrap">
          {!unkept && <OtherMatchNotice match={otherMatch} />}
          <TabAlert value={otherMatch && isOn(otherMatch) ? 'Your match is on!' : null}>
            <CrashGuard key={unkept ? 'unkept-codes' : path}>{page()}</CrashGuard>
          </TabAlert>
        </div>
      </main>
      <Banner />
      <NetPanel />
    </>
  )
}

/** After this many ms without a connection it is worth saying that it takes long. */
const PATIENCE_MS = 4000

function Connecting() {
  const [isLong, setLong] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [])
  return (
    <Loading>{isLong ? 'The server does not answer. It will be tried again until it does…' : 'Connecting…'}</Loading>
  )
}

function Routed({ route }: { route: Route }) {
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
    case 'account':
      return <AccountPage />
    case 'unknown':
      return (
        <Page title="Out!" fit="narrow">
          <p>
            There is no page at this address. <Link href={paths.lobby}>Back to the lobby</Link>
          </p>
        </Page>
      )
  }
}

/** Why somebody who is signed out is asked to sign in, if not simply to play. */
function intentOf(route: Route): string | null {
  switch (route.page) {
    case 'join':
      return 'You have been invited to a match. Sign in, or choose a name, and you are in.'
    case 'history':
    case 'account':
      return 'Sign in to see this page.'
    default:
      return null
  }
}
