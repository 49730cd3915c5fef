import { z } from 'zod'
import { method } from '../../define.ts'
import { Empty } from '../../wire.ts'
import { removeValue } from '../stored-values.ts'
import { StorageKey } from '../types.ts'

export const remove = method({
  summary: 'Deletes a value of the caller.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({ key: StorageKey }),
  output: Empty,
  errors: ['NOT_FOUND'],

  async handle({ ctx, input, fail }) {
    if (!(await removeValue(ctx.sql, ctx.user.id, input.key))) throw fail('NOT_FOUND', 'There is no such value')
    return {}
  },
})
