import { useEffect, useState } from 'react'
import { useTheme } from './hooks/use-theme.ts'
import { useNet } from './net/net-context.ts'
import { useRally, useStatus, useUser } from './rally.ts'
import { Link, paths, type Route } from './router.tsx'
import { Button } from './ui/button.tsx'
import { Logo, MoonIcon, SunIcon, UserIcon } from './ui/icons.tsx'
import { Notice } from './ui/notice.tsx'

const connectionWords = {
  connecting: 'Connecting',
  open: 'Connected',
  reconnecting: 'Reconnecting',
  idle: 'Resting',
  closed: 'Disconnected',
} as const

export function Header({ route }: { route: Route }) {
  const user = useUser()
  const current = (page: Route['page']) => (route.page === page ? 'page' : undefined)
  return (
    <header className="header">
      <div className="wrap header-row">
        <Link className="brand" href={paths.lobby} aria-label="Rally, to the lobby">
          <Logo />
          <span className="brand-name">Rally</span>
        </Link>
        <Connection />
        {user && (
          <nav className="nav" aria-label="Pages">
            <Link href={paths.lobby} aria-current={current('lobby')}>
              Play
            </Link>
            <Link href={paths.history} aria-current={current('history')}>
              History
            </Link>
            <Link className="nav-user" href={paths.account} aria-current={current('account')} title="Your account">
              <UserIcon />
              <span data-testid="user-name">{user.username}</span>
            </Link>
          </nav>
        )}
        <ThemeButton />
      </div>
    </header>
  )
}

function Connection() {
  const status = useStatus()
  const net = useNet()
  return (
    <button
      type="button"
      className="connection"
      title="Show the network (F9)"
      onClick={() => net.toggle()}
      data-testid="connection"
      data-state={status}
    >
      <span className="dot" aria-hidden="true" />
      <span className="connection-words" role="status">
        {connectionWords[status]}
      </span>
    </button>
  )
}

function ThemeButton() {
  const { theme, toggle } = useTheme()
  const other = theme === 'dark' ? 'light' : 'dark'
  return (
    <Button look="quiet" className="button-icon" onClick={toggle} aria-label={`Use the ${other} theme`}>
      {theme === 'dark' ? <SunIcon /> : <MoonIcon />}
    </Button>
  )
}

/** A cut of this many ms is not worth a word. */
const PATIENCE_MS = 600

/** Says that the line is down. It lies over the page, so nothing moves. */
export function Banner() {
  const rally = useRally()
  const status = useStatus()
  const isDown = status === 'reconnecting' || status === 'closed'
  const [isShown, setShown] = useState(false)
  useEffect(() => {
    if (!isDown) {
      setShown(false)
      return
    }
    const timer = setTimeout(() => setShown(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [isDown])
  if (!isShown) return null
  return (
    <div className="banner">
      <Notice look="warn">
        {status === 'reconnecting' ? 'No connection. Trying again… ' : 'The server ended the connection. '}
        <button type="button" className="text-button" onClick={() => rally.reconnect()}>
          {status === 'reconnecting' ? 'Try now' : 'Connect again'}
        </button>
      </Notice>
    </div>
  )
}
