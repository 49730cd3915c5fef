import { Link, paths } from '../router.tsx'

interface UserLinkProps {
  readonly username: string
  /** Default: the username. */
  readonly displayName?: string | undefined
}

/** The name of a user, which leads to the profile. */
export function UserLink({ username, displayName = username }: UserLinkProps) {
  return (
    <Link className="user-link" href={paths.profile(username)} title={`@${username}`}>
      {displayName}
    </Link>
  )
}
