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
