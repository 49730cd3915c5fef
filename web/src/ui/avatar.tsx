interface AvatarProps {
  readonly username: string
  /** How wide it is, in CSS pixels. */
  readonly size?: number
  /** Another number loads a picture again that has just been changed. */
  readonly version?: number
}

/** The picture of a user. It says nothing that the name beside it does not say. */
export function Avatar({ username, size = 32, version = 0 }: AvatarProps) {
  const src = version === 0 ? avatarUrl(username) : `${avatarUrl(username)}?v=${version}`
  return <img className="avatar" src={src} width={size} height={size} alt="" loading="lazy" />
}

export function avatarUrl(username: string): string {
  return `/avatars/${encodeURIComponent(username)}`
}
