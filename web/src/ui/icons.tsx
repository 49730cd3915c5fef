import type { ReactNode } from 'react'

/** Line icons on a 24-unit grid, in the colour of the text. They decorate: what they stand beside says it in words. */
function Icon({ children }: { children: ReactNode }) {
  return (
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
      {children}
    </svg>
  )
}

export const CopyIcon = () => (
  <Icon>
    <rect x="9" y="9" width="11" height="11" rx="2" />
    <path d="M5 15H4V5a1 1 0 0 1 1-1h10v1" />
  </Icon>
)

export const CheckIcon = () => (
  <Icon>
    <path d="m5 12.5 4.5 4.5L19 7.5" />
  </Icon>
)

export const WarnIcon = () => (
  <Icon>
    <path d="M12 4 2.8 19.5h18.4zM12 10v4M12 17v.1" />
  </Icon>
)

export const InfoIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 11v5M12 8v.1" />
  </Icon>
)

export const SunIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M18.4 5.6l-1.1 1.1M6.7 17.3l-1.1 1.1" />
  </Icon>
)

export const MoonIcon = () => (
  <Icon>
    <path d="M19.5 14A8 8 0 0 1 10 4.5a8 8 0 1 0 9.5 9.5z" />
  </Icon>
)

export const UserIcon = () => (
  <Icon>
    <circle cx="12" cy="8.5" r="3.5" />
    <path d="M5 20c.6-3.6 3.4-5.5 7-5.5s6.4 1.9 7 5.5" />
  </Icon>
)

export const BotIcon = () => (
  <Icon>
    <rect x="4.5" y="8" width="15" height="11" rx="2.5" />
    <path d="M12 8V4.5M9 13v1M15 13v1M2.5 13v2.5M21.5 13v2.5" />
  </Icon>
)

export const KeyboardIcon = () => (
  <Icon>
    <rect x="2.5" y="6" width="19" height="12" rx="2" />
    <path d="M6.5 10v.1M10 10v.1M14 10v.1M17.5 10v.1M8 14h8" />
  </Icon>
)

export const EyeIcon = () => (
  <Icon>
    <path d="M2.5 12C5 7.7 8.3 5.5 12 5.5s7 2.2 9.5 6.5c-2.5 4.3-5.8 6.5-9.5 6.5S5 16.3 2.5 12z" />
    <circle cx="12" cy="12" r="2.7" />
  </Icon>
)

export const LeaveIcon = () => (
  <Icon>
    <path d="M14 4.5H6a1 1 0 0 0-1 1v13a1 1 0 0 0 1 1h8M11 12h9.5M17 8.5l3.5 3.5-3.5 3.5" />
  </Icon>
)

export const UpIcon = () => (
  <Icon>
    <path d="m6 15 6-6.5 6 6.5" />
  </Icon>
)

export const DownIcon = () => (
  <Icon>
    <path d="m6 9 6 6.5L18 9" />
  </Icon>
)

export const DownloadIcon = () => (
  <Icon>
    <path d="M12 4v11M7 10.5l5 5 5-5M4.5 20h15" />
  </Icon>
)

export const PlayIcon = () => (
  <Icon>
    <path d="M7.5 4.8v14.4L19 12z" fill="currentColor" />
  </Icon>
)

export const PauseIcon = () => (
  <Icon>
    <path d="M8.5 5.5v13M15.5 5.5v13" strokeWidth="3.5" />
  </Icon>
)

export const AgainIcon = () => (
  <Icon>
    <path d="M5 12a7 7 0 1 0 2.2-5.1M4.5 4v4h4" />
  </Icon>
)

export const BackIcon = () => (
  <Icon>
    <path d="M18 6v12l-9-6zM6 6v12" />
  </Icon>
)

export const ForwardIcon = () => (
  <Icon>
    <path d="M6 6v12l9-6zM18 6v12" />
  </Icon>
)

export const CloseIcon = () => (
  <Icon>
    <path d="M6 6l12 12M18 6 6 18" />
  </Icon>
)

export const CutIcon = () => (
  <Icon>
    <path d="M2.5 12H8M16 12h5.5M8 8.5v7M16 8.5v7M11 5l2 14" />
  </Icon>
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
