import type { ComponentType } from 'react'
import { usePopup } from './hooks/use-popup.ts'
import { Link, paths, type Route } from './router.tsx'
import {
  BracketIcon,
  ChatIcon,
  HistoryIcon,
  MoreIcon,
  PeopleIcon,
  PlayIcon,
  PodiumIcon,
  ShieldIcon,
} from './ui/icons.tsx'

interface Entry {
  readonly label: string
  readonly href: string
  /** The pages on which this entry is the current one. */
  readonly pages: readonly Route['page'][]
  readonly Icon: ComponentType
  readonly adminsOnly?: boolean
}

/** The pages that can be reached from everywhere, most used first. */
const ENTRIES: readonly Entry[] = [
  { label: 'Play', href: paths.lobby, pages: ['lobby', 'match', 'join'], Icon: PlayIcon },
  {
    label: 'Tournaments',
    href: paths.tournaments,
    pages: ['tournaments', 'tournament'],
    Icon: BracketIcon,
  },
  { label: 'Leaderboard', href: paths.leaderboard, pages: ['leaderboard'], Icon: PodiumIcon },
  { label: 'Rooms', href: paths.rooms, pages: ['rooms', 'room'], Icon: ChatIcon },
  { label: 'History', href: paths.history, pages: ['history', 'replay'], Icon: HistoryIcon },
  { label: 'People', href: paths.people, pages: ['people', 'profile'], Icon: PeopleIcon },
  { label: 'Admin', href: paths.admin('overview'), pages: ['admin'], Icon: ShieldIcon, adminsOnly: true },
]

/** How many entries a phone shows beside each other. The others are in a menu. */
const ON_BAR = 4

/** In a wide window: links in the header. In a narrow one: a bar at the bottom, with a menu for the entries that do not fit. */
export function Navigation({ route, isAdmin }: { route: Route; isAdmin: boolean }) {
  const entries = ENTRIES.filter(({ adminsOnly }) => isAdmin || !adminsOnly)
  // A menu with one entry would be a detour.
  const onBar = entries.length <= ON_BAR + 1 ? entries : entries.slice(0, ON_BAR)
  const inMenu = entries.slice(onBar.length)
  return (
    <nav className="nav" aria-label="Pages">
      {onBar.map((entry) => (
        <EntryLink key={entry.href} entry={entry} route={route} />
      ))}
      {inMenu.length > 0 && <Menu entries={inMenu} route={route} />}
    </nav>
  )
}

function EntryLink({ entry, route, onClick }: { entry: Entry; route: Route; onClick?: () => void }) {
  const { label, href, pages, Icon } = entry
  const isCurrent = pages.includes(route.page)
  return (
    <Link
      className="nav-link"
      href={href}
      aria-current={isCurrent ? 'page' : undefined}
      data-testid={`nav-${label.toLowerCase()}`}
      {...(onClick ? { onClick } : {})}
    >
      <Icon />
      <span>{label}</span>
    </Link>
  )
}

/** A wide window shows its entries like the others, by the style sheet. */
function Menu({ entries, route }: { entries: readonly Entry[]; route: Route }) {
  const { isOpen, place, button, toggle, close } = usePopup()
  const hasCurrent = entries.some(({ pages }) => pages.includes(route.page))
  return (
    <div ref={place} className="nav-menu">
      <button
        ref={button}
        type="button"
        className="nav-link nav-more"
        aria-expanded={isOpen}
        data-current={hasCurrent || undefined}
        onClick={toggle}
        data-testid="nav-more"
      >
        <MoreIcon />
        <span>More</span>
      </button>
      <div className="nav-rest" data-open={isOpen || undefined}>
        {entries.map((entry) => (
          <EntryLink key={entry.href} entry={entry} route={route} onClick={close} />
        ))}
      </div>
    </div>
  )
}
