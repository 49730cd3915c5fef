import { z } from 'zod'
import { method } from '../../define.ts'
import { listOf, Page } from '../../pages.ts'
import { UserId } from '../../wire.ts'
import { readAuditLog } from '../audit-log.ts'
import { AuditEntry } from '../types.ts'

/** What admins did, the newest first; with `userId` what was done to this user. */
export const audit = method({
  access: 'admin',
  effect: 'read',
  limit: { points: 600, perSeconds: 60 },
  input: z.object({ ...Page, userId: UserId.optional() }),
  output: listOf(AuditEntry),
  handle: ({ ctx, input }) => readAuditLog(ctx.sql, input, input.userId),
})
