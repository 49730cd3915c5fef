import { z } from 'zod'
import { method } from '../../define.ts'
import { Timestamp } from '../../wire.ts'

/** `export` is a word of the language, so the value has another name than the method. */
export const exportAll = method({
  summary: 'Answers everything that this server keeps of the caller, by module. It may be large: ask for it over HTTP.',
  access: 'user',
  effect: 'read',
  scope: 'none',
  limit: { points: 6, perSeconds: 60 },
  input: z.object({}),
  output: z.object({ exportedAt: Timestamp, data: z.record(z.string(), z.unknown()) }),

  async handle({ ctx }) {
    const data: Record<string, unknown> = {}
    for (const [name, service] of ctx.platform.allServices()) {
      if (service.exportOf) data[name] = await service.exportOf(ctx.user.id, ctx.sql)
    }
    return { exportedAt: Date.now(), data }
  },
})
