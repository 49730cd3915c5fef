import { type ChangeEvent, useId, useState } from 'react'
import type { Profile } from '../../../../src/modules/users/types.ts'
import { callOverHttp } from '../../call-over-http.ts'
import { useAction } from '../../hooks/use-action.ts'
import { Avatar, avatarUrl } from '../../ui/avatar.tsx'
import { Button } from '../../ui/button.tsx'
import { Field, Form } from '../../ui/field.tsx'
import { ErrorNotice, Notice } from '../../ui/notice.tsx'
import { scalePicture } from './scale-picture.ts'

const WORDS = {
  BAD_PICTURE: 'That picture is not taken. Choose a PNG, a JPEG or a WebP.',
  NAME_TAKEN: 'That is the username of somebody else. Choose another name.',
}

interface EditProfileProps {
  readonly profile: Profile
  readonly onChange: (profile: Profile, isNewPicture: boolean) => void
  readonly onClose: () => void
}

/** The form with which users change their own profile. */
export function EditProfile({ profile, onChange, onClose }: EditProfileProps) {
  const bioId = useId()
  const [displayName, setDisplayName] = useState(profile.displayName)
  const [bio, setBio] = useState(profile.bio)
  /** A `data:` URL; null for the drawn one, undefined for the one that is there. */
  const [avatar, setAvatar] = useState<string | null>()
  const [isUnreadable, setUnreadable] = useState(false)

  const save = useAction(async () => {
    const base64 = avatar ? avatar.slice(avatar.indexOf(',') + 1) : null
    const picture = avatar === undefined ? {} : { avatar: base64 }
    const changed = await callOverHttp('users.updateProfile', { displayName, bio, ...picture })
    // Other places show the new picture at once, too.
    if (avatar !== undefined) await fetch(avatarUrl(profile.username), { cache: 'reload' }).catch(() => undefined)
    onChange(changed, avatar !== undefined)
    onClose()
  })
  const choose = async ({ target }: ChangeEvent<HTMLInputElement>) => {
    const file = target.files?.[0]
    target.value = ''
    if (!file) return
    const scaled = await scalePicture(file).catch(() => null)
    setUnreadable(scaled === null)
    if (scaled !== null) setAvatar(scaled)
  }

  return (
    <section className="card" aria-labelledby="edit-profile">
      <Form onSubmit={() => save.run()}>
        <h2 id="edit-profile">Your profile</h2>
        <div className="profile-picture">
          {typeof avatar === 'string' ? (
            <img className="avatar" src={avatar} width={64} height={64} alt="The chosen one" />
          ) : (
            <Avatar username={profile.username} size={64} />
          )}
          <label className="button button-small">
            Choose a picture
            <input
              className="hidden-visually"
              type="file"
              accept="image/*"
              onChange={(event) => void choose(event)}
              data-testid="choose-picture"
            />
          </label>
          <Button small look="quiet" onClick={() => setAvatar(null)} disabled={avatar === null}>
            Use the drawn one
          </Button>
        </div>
        {avatar === null && <p className="soft small">The picture drawn from your name is back once you save.</p>}
        {isUnreadable && <Notice look="error">This browser cannot read that file as a picture.</Notice>}
        <Field
          label="Display name"
          hint="What others read. Your username stays as it is."
          value={displayName}
          onChange={(event) => setDisplayName(event.target.value)}
          maxLength={30}
          required
          data-testid="display-name"
        />
        <div className="field">
          <label htmlFor={bioId}>About you</label>
          <textarea
            id={bioId}
            className="input profile-text"
            value={bio}
            onChange={(event) => setBio(event.target.value)}
            maxLength={300}
            rows={4}
            data-testid="bio"
          />
        </div>
        <ErrorNotice error={save.error} words={WORDS} />
        <div className="row">
          <Button type="submit" look="primary" busy={save.busy} data-testid="save-profile">
            Save
          </Button>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </Form>
    </section>
  )
}
