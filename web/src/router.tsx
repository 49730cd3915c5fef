import { type AnchorHTMLAttributes, type MouseEvent, useSyncExternalStore } from 'react'

export type Route =
  | { readonly page: 'lobby' }
  | { readonly page: 'match'; readonly matchId: string }
  | { readonly page: 'replay'; readonly matchId: string }
  | { readonly page: 'join'; readonly code: string }
  | { readonly page: 'history' }
  | { readonly page: 'leaderboard' }
  | { readonly page: 'tournaments' }
  | { readonly page: 'tournament'; readonly tournamentId: string }
  | { readonly page: 'rooms' }
  | { readonly page: 'room'; readonly roomId: string }
  | { readonly page: 'account' }
  | { readonly page: 'people' }
  | { readonly page: 'docs' }
  | { readonly page: 'profile'; readonly username: string }
  | { readonly page: 'admin'; readonly part: AdminPart }
  | { readonly page: 'unknown' }

/** What admins see, each under its own path. */
export const adminParts = ['overview', 'users', 'matches', 'audit'] as const
export type AdminPart = (typeof adminParts)[number]

export const paths = {
  lobby: '/',
  history: '/history',
  leaderboard: '/leaderboard',
  tournaments: '/tournaments',
  tournament: (id: string) => `/tournaments/${encodeURIComponent(id)}`,
  rooms: '/rooms',
  room: (id: string) => `/rooms/${encodeURIComponent(id)}`,
  account: '/account',
  people: '/people',
  docs: '/docs',
  profile: (username: string) => `/u/${encodeURIComponent(username)}`,
  admin: (part: AdminPart) => (part === 'overview' ? '/admin' : `/admin/${part}`),
  match: (id: string) => `/m/${encodeURIComponent(id)}`,
  replay: (id: string) => `/replay/${encodeURIComponent(id)}`,
  join: (code: string) => `/join/${encodeURIComponent(code)}`,
}

/** What a path shows. The server answers these paths with the app, by `public/places.txt`, and others with a 404. */
export function parseRoute(path: string): Route {
  const [first = '', second, ...rest] = path.split('/').filter(Boolean)
  const value = second === undefined ? undefined : decoded(second)
  if (rest.length > 0 || value === null) return { page: 'unknown' }
  switch (`${first}${value === undefined ? '' : '/'}`) {
    case '':
      return { page: 'lobby' }
    case 'history':
      return { page: 'history' }
    case 'leaderboard':
      return { page: 'leaderboard' }
    case 'tournaments':
      return { page: 'tournaments' }
    case 'tournaments/':
      return { page: 'tournament', tournamentId: value ?? '' }
    case 'rooms':
      return { page: 'rooms' }
    case 'rooms/':
      return { page: 'room', roomId: value ?? '' }
    case 'account':
      return { page: 'account' }
    case 'admin':
      return { page: 'admin', part: 'overview' }
    case 'admin/': {
      const part = adminParts.find((each) => each === value)
      return part ? { page: 'admin', part } : { page: 'unknown' }
    }
    case 'people':
      return { page: 'people' }
    case 'docs':
      return { page: 'docs' }
    case 'u/':
      return { page: 'profile', username: value ?? '' }
    case 'm/':
      return { page: 'match', matchId: value ?? '' }
    case 'replay/':
      return { page: 'replay', matchId: value ?? '' }
    case 'join/':
      return { page: 'join', code: value ?? '' }
    default:
      return { page: 'unknown' }
  }
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}

/** Goes to another page of this app. With `replace` the current page leaves the history. */
export function navigate(path: string, { replace = false } = {}): void {
  if (path === location.pathname) return
  if (replace) history.replaceState({ inApp: true }, '', path)
  else history.pushState({ inApp: true }, '', path)
  scrollTo(0, 0)
  dispatchEvent(new PopStateEvent('popstate'))
}

export function usePath(): string {
  return useSyncExternalStore(onPathChange, () => location.pathname)
}

function onPathChange(changed: () => void): () => void {
  addEventListener('popstate', changed)
  return () => removeEventListener('popstate', changed)
}

/** A link within the app; with a modifier key or another button it is the browser's. */
export function Link({ href, onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event)
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    navigate(href)
  }
  return <a {...rest} href={href} onClick={follow} />
}
