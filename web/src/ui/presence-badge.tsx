import type { PresenceOf } from '../../../src/modules/users/types.ts'
import { Link, paths } from '../router.tsx'

const WORDS = { online: 'Online', playing: 'Playing', offline: 'Offline' } as const

/** Where a user is, with a link to the match that others may watch. Nothing until it is known. */
export function PresenceBadge({ presence }: { readonly presence: Pick<PresenceOf, 'status' | 'matchId'> | undefined }) {
  if (!presence) return null
  const { status, matchId } = presence
  return (
    <span className="presence" data-status={status} data-testid="presence">
      <span className="dot" aria-hidden="true" />
      {matchId === null ? WORDS[status] : <Link href={paths.match(matchId)}>{WORDS[status]}</Link>}
    </span>
  )
}
