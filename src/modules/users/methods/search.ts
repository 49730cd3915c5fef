import { z } from 'zod'
import { method } from '../../define.ts'
import { listOf, Page } from '../../pages.ts'
import { profiles } from '../profiles.ts'
import { UserSummary } from '../types.ts'

export const search = method({
  summary: 'Lists users whose usernames begin with `prefix`, in the order of their names.',
  access: 'user',
  effect: 'read',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({
    ...Page,
    prefix: z
      .string()
      .min(1)
      .max(20)
      .regex(/^@?[A-Za-z0-9_]+$/, 'only letters, digits and _')
      .transform((prefix) => prefix.replace('@', '').toLowerCase()),
  }),
  output: listOf(UserSummary),
  handle: ({ ctx, input }) => profiles.search(ctx.sql, input, input.prefix),
})
