import { z } from 'zod'
import { method } from '../../define.ts'
import { listOf, Page } from '../../pages.ts'
import { UserId } from '../../wire.ts'
import { readAuditLog } from '../audit-log.ts'
import { AuditEntry } from '../types.ts'

export const audit = method({
  summary: 'Lists what admins did, newest first; with `userId` what was done to this user.',
  access: 'admin',
  effect: 'read',
  limit: { points: 600, perSeconds: 60 },
  input: z.object({ ...Page, userId: UserId.optional() }),
  output: listOf(AuditEntry),
  handle: ({ ctx, input }) => readAuditLog(ctx.sql, input, input.userId),
})
