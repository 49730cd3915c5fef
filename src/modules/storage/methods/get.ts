import { z } from 'zod'
import { method } from '../../define.ts'
import { Username } from '../../usernames.ts'
import { getOwnValue, getPublicValue } from '../stored-values.ts'
import { StorageKey, StoredValue } from '../types.ts'

export const get = method({
  summary: 'Answers a value of the caller, or a public one of another user.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 300, perSeconds: 60 },
  input: z.object({ key: StorageKey, username: Username.optional() }),
  output: StoredValue,
  errors: ['NOT_FOUND', 'UNAUTHENTICATED'],

  async handle({ ctx, input: { key, username }, fail }) {
    const isOwn = username === undefined || username === ctx.user?.username
    if (isOwn && !ctx.user) throw fail('UNAUTHENTICATED', 'Name a user, or sign in')
    const value =
      ctx.user && isOwn
        ? await getOwnValue(ctx.sql, ctx.user.id, key)
        : await getPublicValue(ctx.sql, username ?? '', key)
    if (!value) throw fail('NOT_FOUND', 'There is no such value')
    return value
  },
})
