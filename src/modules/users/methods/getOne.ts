import { z } from 'zod'
import { method } from '../../define.ts'
import { Username } from '../../usernames.ts'
import { profiles } from '../profiles.ts'
import { Profile } from '../types.ts'

export const getOne = method({
  summary: 'Answers the profile of a user.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({ username: Username }),
  output: Profile,
  errors: ['NOT_FOUND'],

  async handle({ ctx, input, fail }) {
    const profile = await profiles.byName(ctx.sql, input.username)
    if (!profile) throw fail('NOT_FOUND', 'There is no such user')
    return profile
  },
})
