import { RpcError } from '../../../rpc/index.ts'
import { fileRoute } from '../../define.ts'
import { Username } from '../../usernames.ts'
import { userService } from '../service.ts'
import { drawAvatar } from './drawn-avatar.ts'

/** Nothing in a picture may run, also where it is opened as a page of its own. */
const HEADERS = {
  'Cache-Control': 'public, max-age=60',
  'Content-Security-Policy': "default-src 'none'; sandbox",
  'X-Content-Type-Options': 'nosniff',
}

/** A name that nobody has gets a picture as well, so nobody learns here which names are taken. */
export const serveAvatar = fileRoute({
  path: '/avatars/{username}',
  summary: 'Answers the picture of a user: the uploaded one, else one that is drawn from the name.',
  limit: { points: 1_200, perSeconds: 60 },
  contentTypes: ['image/svg+xml', 'image/png', 'image/jpeg', 'image/webp'],

  async serve({ ctx, params }) {
    const username = Username.safeParse(params.username)
    if (!username.success) throw new RpcError('NOT_FOUND', 'Nobody has such a name')
    const uploaded = await ctx.use(userService).avatarOf(username.data)
    if (uploaded) {
      const { bytes, type, hash } = uploaded
      return { headers: { ...HEADERS, 'Content-Type': type, ETag: `"${hash}"` }, body: bytes }
    }
    const drawn = drawAvatar(username.data)
    return { headers: { ...HEADERS, 'Content-Type': 'image/svg+xml', ETag: `"drawn-${username.data}"` }, body: drawn }
  },
})
