import type { SVGProps } from 'react'

/** A line icon on a 24-unit grid, in the colour of the text. It decorates: the text beside it says the same. */
const icon =
  (d: string, look: SVGProps<SVGPathElement> = {}) =>
  () => (
    <svg
      className="icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={d} {...look} />
    </svg>
  )

export const CopyIcon = icon(
  'M11 9h7a2 2 0 0 1 2 2v7a2 2 0 0 1 -2 2h-7a2 2 0 0 1 -2 -2v-7a2 2 0 0 1 2 -2M5 15H4V5a1 1 0 0 1 1-1h10v1',
)
export const CheckIcon = icon('m5 12.5 4.5 4.5L19 7.5')
export const BracketIcon = icon('M4 5h6v6H4M4 13h6v6H4M10 8h5v8h-5M15 12h5')
export const ChatIcon = icon('M4 5h16v11H9l-5 4z')
export const PodiumIcon = icon('M9 20V5h6v15M9 11H3v9h18v-6h-6')
export const WarnIcon = icon('M12 4 2.8 19.5h18.4zM12 10v4M12 17v.1')
export const InfoIcon = icon('M3 12a9 9 0 1 0 18 0a9 9 0 1 0 -18 0M12 11v5M12 8v.1')
export const SunIcon = icon(
  'M8 12a4 4 0 1 0 8 0a4 4 0 1 0 -8 0M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M18.4 5.6l-1.1 1.1M6.7 17.3l-1.1 1.1',
)
export const MoonIcon = icon('M19.5 14A8 8 0 0 1 10 4.5a8 8 0 1 0 9.5 9.5z')
export const UserIcon = icon('M8.5 8.5a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0M5 20c.6-3.6 3.4-5.5 7-5.5s6.4 1.9 7 5.5')
export const BotIcon = icon(
  'M7 8h10a2.5 2.5 0 0 1 2.5 2.5v6a2.5 2.5 0 0 1 -2.5 2.5h-10a2.5 2.5 0 0 1 -2.5 -2.5v-6a2.5 2.5 0 0 1 2.5 -2.5M12 8V4.5M9 13v1M15 13v1M2.5 13v2.5M21.5 13v2.5',
)
export const KeyboardIcon = icon(
  'M4.5 6h15a2 2 0 0 1 2 2v8a2 2 0 0 1 -2 2h-15a2 2 0 0 1 -2 -2v-8a2 2 0 0 1 2 -2M6.5 10v.1M10 10v.1M14 10v.1M17.5 10v.1M8 14h8',
)
export const EyeIcon = icon(
  'M2.5 12C5 7.7 8.3 5.5 12 5.5s7 2.2 9.5 6.5c-2.5 4.3-5.8 6.5-9.5 6.5S5 16.3 2.5 12zM9.3 12a2.7 2.7 0 1 0 5.4 0a2.7 2.7 0 1 0 -5.4 0',
)
export const LeaveIcon = icon('M14 4.5H6a1 1 0 0 0-1 1v13a1 1 0 0 0 1 1h8M11 12h9.5M17 8.5l3.5 3.5-3.5 3.5')
export const UpIcon = icon('m6 15 6-6.5 6 6.5')
export const DownIcon = icon('m6 9 6 6.5L18 9')
export const DownloadIcon = icon('M12 4v11M7 10.5l5 5 5-5M4.5 20h15')
export const PlayIcon = icon('M7.5 4.8v14.4L19 12z', { fill: 'currentColor' })
export const PauseIcon = icon('M8.5 5.5v13M15.5 5.5v13', { strokeWidth: '3.5' })
export const AgainIcon = icon('M5 12a7 7 0 1 0 2.2-5.1M4.5 4v4h4')
export const BackIcon = icon('M18 6v12l-9-6zM6 6v12')
export const ForwardIcon = icon('M6 6v12l9-6zM18 6v12')
export const CloseIcon = icon('M6 6l12 12M18 6 6 18')
export const CutIcon = icon('M2.5 12H8M16 12h5.5M8 8.5v7M16 8.5v7M11 5l2 14')
export const HistoryIcon = icon('M3.5 12a8.5 8.5 0 1 0 2.6-6.1M3.5 4v4h4M12 7.5V12l3 2')
export const TrophyIcon = icon(
  'M7.5 4h9v5a4.5 4.5 0 0 1-9 0zM7.5 5.5H4.5a3 3 0 0 0 3.3 4.2M16.5 5.5h3a3 3 0 0 1-3.3 4.2M12 13.5V17M8.5 20h7M10 17h4',
)
export const RanksIcon = icon('M4.5 20v-7h4v7M10 20V5h4v15M15.5 20V9.5h4V20M3 20h18')
export const RoomsIcon = icon(
  'M4.5 5h15a1 1 0 0 1 1 1v9.5a1 1 0 0 1-1 1H11l-4.5 4v-4h-2a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM8 9.5h8M8 12.5h5',
)
export const PeopleIcon = icon(
  'M6 8.5a3 3 0 1 0 6 0a3 3 0 1 0-6 0M3 19c.5-3.4 2.7-5 6-5s5.5 1.6 6 5M15.5 5.7a3 3 0 0 1 0 5.6M17.5 14.5c2 .6 3.2 2 3.5 4.5',
)
export const ShieldIcon = icon('M12 3.5l7 2.5v5.5c0 4.2-2.800 7.300-7 9-4.2-1.7-7-4.800-7-9V6z')
export const MoreIcon = icon('M5.5 12v.1M12 12v.1M18.5 12v.1', { strokeWidth: '3.5' })
export const BellIcon = icon('M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4')
export const SoundIcon = icon(
  'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.800 7.800 0 0 1 0 11',
)
export const MutedIcon = icon('M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5')
export const ShareIcon = icon('M12 15V4M8 7.5 12 3.5l4 4M6 11.5H5v9h14v-9h-1')
export const MicIcon = icon('M9 6.5a3 3 0 0 1 6 0v5a3 3 0 0 1-6 0zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3M9 21h6')
export const MicOffIcon = icon(
  'M9 9v2.5a3 3 0 0 0 4.8 2.4M15 11V6.5a3 3 0 0 0-5.6-1.5M5.5 11.5a6.5 6.5 0 0 0 10.4 5.2M18.5 11.5a6.5 6.5 0 0 1-.5 2.5M12 18v3M4 4l16 16',
)
export const CameraIcon = icon(
  'M4 7h9.5a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1-1.5 1.5H4a1.5 1.5 0 0 1-1.5-1.5v-7A1.5 1.5 0 0 1 4 7zM15 11l6-3.5v9L15 13',
)
export const CameraOffIcon = icon(
  'M9 7h4.5a1.5 1.5 0 0 1 1.5 1.5v4M14 17H4a1.5 1.5 0 0 1-1.5-1.5v-7A1.5 1.5 0 0 1 4 7M15 11l6-3.5v9L17.5 14.5M3.5 3.5l17 17',
)
export const ScreenIcon = icon(
  'M4 5h16a1 1 0 0 1 1 1v9.5a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM9 20h6M12 16.5V20M12 13.5v-5M9.5 10.5 12 8l2.5 2.5',
)

export const Logo = () => (
  <svg viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" fill="#0d3b30" />
    <rect x="6" y="8" width="4" height="12" rx="2" fill="#ff8a4c" />
    <rect x="22" y="13" width="4" height="12" rx="2" fill="#5cb2ff" />
    <circle cx="16" cy="14" r="3" fill="#fffdf5" />
  </svg>
)

/** A court without players, for lists with nothing in them. */
export const EmptyCourt = () => (
  <svg viewBox="0 0 96 64" fill="none" stroke="currentColor" strokeWidth="2.5" strokeLinecap="round" aria-hidden="true">
    <rect x="2" y="2" width="92" height="60" rx="9" opacity="0.5" />
    <path d="M48 9v46" strokeDasharray="1 7" opacity="0.6" />
    <path d="M13 20v16" stroke="var(--seat-0)" strokeWidth="5" />
    <path d="M83 28v16" stroke="var(--seat-1)" strokeWidth="5" strokeDasharray="1 7" />
    <circle cx="30" cy="33" r="3.5" fill="currentColor" stroke="none" />
  </svg>
)
