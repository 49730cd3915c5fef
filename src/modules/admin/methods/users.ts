import { z } from 'zod'
import { method } from '../../define.ts'
import { listOf, Page } from '../../pages.ts'
import { AdminUser } from '../types.ts'
import { listUsers } from '../users.ts'

export const users = method({
  summary:
    'Lists users, newest first: all, or those whose name begins with `prefix`, who are banned, or who are admins.',
  access: 'admin',
  effect: 'read',
  limit: { points: 600, perSeconds: 60 },
  input: z.object({
    ...Page,
    prefix: z
      .string()
      .max(20)
      .regex(/^[A-Za-z0-9_]*$/, 'only letters, digits and _')
      .toLowerCase()
      .optional(),
    only: z.enum(['banned', 'admins']).optional(),
  }),
  output: listOf(AdminUser),
  handle: ({ ctx, input }) => listUsers(ctx.sql, input, input),
})
