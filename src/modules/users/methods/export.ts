import { z } from 'zod'
import { method } from '../../define.ts'
import { Timestamp } from '../../wire.ts'
import { userService } from '../service.ts'

/** `export` is a word of the language, so the value has another name than the method. */
export const exportAll = method({
  summary: 'Answers everything that this server keeps of the caller, by module. It may be large: ask for it over HTTP.',
  access: 'user',
  effect: 'read',
  scope: 'none',
  limit: { points: 6, perSeconds: 60 },
  input: z.object({}),
  output: z.object({ exportedAt: Timestamp, data: z.record(z.string(), z.unknown()) }),
  errors: ['UNAVAILABLE'],

  async handle({ ctx }) {
    const data = await ctx.use(userService).accountExport.collect(ctx.user.id, ctx.sql)
    return { exportedAt: Date.now(), data }
  },
})
