import { z } from 'zod'
import { RpcError } from '../../../rpc/index.ts'
import { method } from '../../define.ts'
import { BadPicture } from '../avatars/format.ts'
import { checkPicture, MAX_AVATAR_BYTES } from '../avatars/picture.ts'
import { setAvatar } from '../avatars/stored-avatars.ts'
import { profiles } from '../profiles.ts'
import { Bio, DisplayName, Profile } from '../types.ts'

/** Four characters of base64 for three bytes. */
const MAX_CHARACTERS = Math.ceil(MAX_AVATAR_BYTES / 3) * 4

export const updateProfile = method({
  summary:
    'Changes the display name, the text and the picture of the caller; `avatar: null` brings the drawn one back.',
  access: 'user',
  effect: 'write',
  limit: { points: 20, perSeconds: 60 },
  input: z.object({
    displayName: DisplayName.optional(),
    bio: Bio.optional(),
    /** A PNG, JPEG or WebP in base64. */
    avatar: z.base64().min(1).max(MAX_CHARACTERS).nullable().optional(),
  }),
  output: Profile,
  errors: ['BAD_PICTURE', 'NAME_TAKEN'],
  httpBodyBytes: MAX_CHARACTERS + 8_192,

  async prepare({ input: { avatar } }) {
    if (typeof avatar !== 'string') return avatar
    return checkPicture(Buffer.from(avatar, 'base64')).catch((error: unknown) => {
      throw error instanceof BadPicture
        ? new RpcError('BAD_PICTURE', `No such picture is taken: ${error.message}`)
        : error
    })
  },

  async handle({ ctx, input: { displayName, bio }, prepared: picture, fail }) {
    const { id } = ctx.user
    if (displayName !== undefined && !(await profiles.rename(ctx.sql, id, displayName))) {
      throw fail('NAME_TAKEN', 'That is the username of somebody else')
    }
    if (bio !== undefined) await profiles.setBio(ctx.sql, id, bio)
    if (picture !== undefined) await setAvatar(ctx.sql, id, picture)
    const profile = await profiles.byId(ctx.sql, id)
    if (!profile) throw new RpcError('UNAUTHENTICATED', 'This user is gone')
    return profile
  },
})
