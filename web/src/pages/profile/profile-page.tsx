import { useCallback, useEffect, useState } from 'react'
import type { Profile } from '../../../../src/modules/users/types.ts'
import { errorCode } from '../../error-messages.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { ErrorNotice, Loading } from '../../ui/notice.tsx'
import { MessagePage, Page } from '../../ui/page.tsx'
import { TimeAgo } from '../../ui/time-ago.tsx'

export function ProfilePage({ username }: { readonly username: string }) {
  const rally = useRally()
  const [profile, setProfile] = useState<Profile | null>(null)
  const { run, error } = useAction(
    useCallback(async (call) => setProfile(await rally.users.getOne({ username }, call)), [rally, username]),
  )
  useEffect(() => run(), [run])

  if (errorCode(error) === 'NOT_FOUND' || errorCode(error) === 'VALIDATION_FAILED') {
    return (
      <MessagePage title="Nobody here">
        <p>There is no player of that name.</p>
      </MessagePage>
    )
  }
  if (!profile) return error ? <ErrorNotice error={error} /> : <Loading>Fetching the profile…</Loading>
  return (
    <Page title={profile.displayName} tabTitle={`@${profile.username}`} fit="narrow">
      <div className="stack">
        <div className="profile-head">
          <Avatar username={profile.username} size={96} />
          <p className="soft">
            @{profile.username}, here since <TimeAgo at={profile.createdAt} />
          </p>
        </div>
        {profile.bio && <p className="profile-bio">{profile.bio}</p>}
      </div>
    </Page>
  )
}
