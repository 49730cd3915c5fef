import { z } from 'zod'
import { authService } from '../../auth/index.ts'
import { method } from '../../define.ts'
import { matchService } from '../../matches/index.ts'
import { Username } from '../../usernames.ts'
import { UserId } from '../../wire.ts'
import { UserDetails } from '../types.ts'
import { findUser } from '../users.ts'

export const user = method({
  summary: 'Gives one user, with the open sessions and matches.',
  access: 'admin',
  effect: 'read',
  limit: { points: 600, perSeconds: 60 },
  input: z.union([z.object({ userId: UserId }), z.object({ username: Username })]),
  output: UserDetails,
  errors: ['NOT_FOUND'],

  async handle({ ctx, input, fail }) {
    const found = await findUser(ctx.sql, input)
    if (!found) throw fail('NOT_FOUND', 'There is no such user')
    const [sessions, matchIds] = await Promise.all([
      ctx.use(authService).sessions.list(ctx, found.id, null, {}),
      ctx.use(matchService).openMatchesOf(ctx, found.id),
    ])
    return { ...found, sessions: sessions.items.map(({ current: _, ...session }) => session), matchIds }
  },
})
