import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import { useNet } from './network/page-network.ts'
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

type Theme = 'light' | 'dark'

const KEY = 'rally-theme'
const CHANGED = 'rally-theme-change'

/** The theme in force, and how to turn it over. The choice is kept; choosing what the system wants forgets it. */
function useTheme(): { theme: Theme; toggle(): void } {
  const theme = useSyncExternalStore(onThemeChange, current)
  const toggle = useCallback(() => {
    const next: Theme = current() === 'dark' ? 'light' : 'dark'
    if (next === systemTheme()) delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = next
    keep(next === systemTheme() ? null : next)
    dispatchEvent(new Event(CHANGED))
  }, [])
  return { theme, toggle }
}

function current(): Theme {
  const chosen = document.documentElement.dataset.theme
  return chosen === 'light' || chosen === 'dark' ? chosen : systemTheme()
}

function systemTheme(): Theme {
  return systemDark().matches ? 'dark' : 'light'
}

function systemDark(): MediaQueryList {
  return matchMedia('(prefers-color-scheme: dark)')
}

function keep(theme: Theme | null): void {
  try {
    if (theme) localStorage.setItem(KEY, theme)
    else localStorage.removeItem(KEY)
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
}

function onThemeChange(changed: () => void): () => void {
  const query = systemDark()
  query.addEventListener('change', changed)
  addEventListener(CHANGED, changed)
  return () => {
    query.removeEventListener('change', changed)
    removeEventListener(CHANGED, changed)
  }
}
