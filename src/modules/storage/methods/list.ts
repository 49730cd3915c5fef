import { z } from 'zod'
import { method } from '../../define.ts'
import { listOf, Page } from '../../pages.ts'
import { listValues } from '../stored-values.ts'
import { StoredEntry } from '../types.ts'

export const list = method({
  summary: 'Lists the keys of the caller that begin with a prefix, the newest first, without their values.',
  access: 'user',
  effect: 'read',
  limit: { points: 300, perSeconds: 60 },
  input: z.object({ ...Page, prefix: z.string().max(128).default('') }),
  output: listOf(StoredEntry),

  handle: ({ ctx, input }) => listValues(ctx.sql, ctx.user.id, input),
})
