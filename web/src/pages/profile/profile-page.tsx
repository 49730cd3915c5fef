import { useCallback, useEffect, useState } from 'react'
import type { Profile } from '../../../../src/modules/users/types.ts'
import { errorCode } from '../../error-messages.ts'
import { useAction } from '../../hooks/use-action.ts'
import { usePresence } from '../../hooks/use-presence.ts'
import { useRally, useUser } from '../../rally.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Button, TextButton } from '../../ui/button.tsx'
import { ErrorNotice, Loading } from '../../ui/notice.tsx'
import { MessagePage, Page } from '../../ui/page.tsx'
import { PresenceBadge } from '../../ui/presence-badge.tsx'
import { TimeAgo } from '../../ui/time-ago.tsx'
import { EditProfile } from './edit-profile.tsx'
import { RecentMatches } from './recent-matches.tsx'
import { Statistics } from './statistics.tsx'

/** A user as everybody sees them; users change their own profile here. */
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
  if (profile) return <Loaded profile={profile} onChange={setProfile} />
  return (
    <Page title={`@${username}`} fit="narrow">
      {error ? (
        <ErrorNotice error={error}>
          {' '}
          <TextButton onClick={() => run()}>Try again</TextButton>
        </ErrorNotice>
      ) : (
        <Loading>Fetching the profile…</Loading>
      )}
    </Page>
  )
}

function Loaded({ profile, onChange }: { profile: Profile; onChange: (profile: Profile) => void }) {
  const user = useUser()
  const isOwn = user?.id === profile.id
  const [isEditing, setEditing] = useState(false)
  const [pictures, setPictures] = useState(0)
  const presence = usePresence(user ? [profile.id] : []).get(profile.id)
  return (
    <Page
      title={profile.displayName}
      tabTitle={`@${profile.username}`}
      fit="narrow"
      aside={
        isOwn &&
        !isEditing && (
          <Button small onClick={() => setEditing(true)} data-testid="edit-profile">
            Edit
          </Button>
        )
      }
    >
      <div className="stack profile">
        <div className="profile-head">
          <Avatar username={profile.username} size={96} version={pictures} />
          <div>
            <p>
              <strong>@{profile.username}</strong> {user && <PresenceBadge presence={presence} />}
            </p>
            <p className="soft small">
              Joined <TimeAgo at={profile.createdAt} />
            </p>
          </div>
        </div>
        {profile.bio && <p className="profile-bio">{profile.bio}</p>}
        {isEditing && (
          <EditProfile
            profile={profile}
            onChange={(changed, isNewPicture) => {
              onChange(changed)
              if (isNewPicture) setPictures((before) => before + 1)
            }}
            onClose={() => setEditing(false)}
          />
        )}
        <Statistics username={profile.username} />
        {user && <RecentMatches userId={profile.id} username={profile.username} />}
      </div>
    </Page>
  )
}
