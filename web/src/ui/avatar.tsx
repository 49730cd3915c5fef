/** The picture of a user, `size` CSS pixels wide. It says nothing that the name beside it does not say. */
export function Avatar({ username, size = 32 }: { readonly username: string; readonly size?: number }) {
  return <img className="avatar" src={avatarUrl(username)} width={size} height={size} alt="" loading="lazy" />
}

export function avatarUrl(username: string): string {
  return `/avatars/${encodeURIComponent(username)}`
}
