import { useCallback, useSyncExternalStore } from 'react'
import type { Invite } from '../../src/modules/matches/types.ts'
import { Navigation } from './navigation.tsx'
import { useNet } from './network/page-network.ts'
import { InviteMenu } from './notifications/invite-menu.tsx'
import { useRefusal, useStatus, useUser } from './rally.ts'
import { Link, paths, type Route } from './router.tsx'
import { SoundMenu } from './sound/sound-menu.tsx'
import { Button } from './ui/button.tsx'
import { Logo, MoonIcon, SunIcon, UserIcon } from './ui/icons.tsx'

const connectionWords = {
  connecting: 'Connecting',
  open: 'Connected',
  reconnecting: 'Reconnecting',
  idle: 'Idle',
  closed: 'Disconnected',
} as const

interface HeaderProps {
  readonly route: Route
  readonly isAdmin: boolean
  readonly invites: readonly Invite[]
}

export function Header({ route, isAdmin, invites }: HeaderProps) {
  const user = useUser()
  const isBanned = useRefusal()?.code === 'BANNED'
  return (
    <header className="header">
      <div className="wrap header-row">
        <Link className="brand" href={paths.lobby} aria-label="Rally, to the lobby">
          <Logo />
          <span className="brand-name">Rally</span>
        </Link>
        {user && !isBanned && <Navigation route={route} isAdmin={isAdmin} />}
        <Connection />
        {user && !isBanned && (
          <Link
            className="header-user"
            href={paths.account}
            aria-current={route.page === 'account' ? 'page' : undefined}
            title="Your account"
          >
            <UserIcon />
            <span data-testid="user-name">{user.username}</span>
          </Link>
        )}
        {user && !isBanned && <InviteMenu invites={invites} />}
        <SoundMenu />
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
      onClick={() => net.togglePanel()}
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

type Theme = 'light' | 'dark'

const KEY = 'rally-theme'
const CHANGED = 'rally-theme-change'

/** The current theme, and how to change it. The choice is kept, unless it is what the system wants. */
function useTheme(): { theme: Theme; toggle(): void } {
  const theme = useSyncExternalStore(onThemeChange, currentTheme)
  const toggle = useCallback(() => {
    const next: Theme = currentTheme() === 'dark' ? 'light' : 'dark'
    const chosen = next === systemTheme() ? null : next
    if (chosen) document.documentElement.dataset.theme = chosen
    else delete document.documentElement.dataset.theme
    try {
      if (chosen) localStorage.setItem(KEY, chosen)
      else localStorage.removeItem(KEY)
    } catch {
      // Storage is off: the choice lasts as long as the page.
    }
    dispatchEvent(new Event(CHANGED))
  }, [])
  return { theme, toggle }
}

function currentTheme(): Theme {
  const chosen = document.documentElement.dataset.theme
  return chosen === 'light' || chosen === 'dark' ? chosen : systemTheme()
}

function systemTheme(): Theme {
  return systemDark().matches ? 'dark' : 'light'
}

function systemDark(): MediaQueryList {
  return matchMedia('(prefers-color-scheme: dark)')
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
