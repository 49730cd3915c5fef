import { z } from 'zod'
import { method } from '../../define.ts'
import { putValue } from '../stored-values.ts'
import { JsonValue, MAX_VALUE_BYTES, StorageKey, StorageVisibility, StoredEntry } from '../types.ts'

/** A frame has 64 KiB, its envelope included. Over HTTP there is room for the largest value, and for white space. */
export const put = method({
  summary: 'Stores a value of the caller under a key, if it has the expected version.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 120, perSeconds: 60 },
  httpBodyBytes: MAX_VALUE_BYTES + 16 * 1024,
  input: z.object({
    key: StorageKey,
    value: JsonValue,
    version: z.number().int().min(0).max(2_147_483_647).optional(),
    visibility: StorageVisibility.optional(),
  }),
  output: StoredEntry,
  errors: ['VALUE_TOO_LARGE', 'TOO_MANY_KEYS', 'STORAGE_FULL', 'VERSION_CHANGED'],

  handle: ({ ctx, input }) => putValue(ctx.sql, ctx.user.id, input),
})
