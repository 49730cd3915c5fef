import { z } from 'zod'
import { Timestamp } from '../wire.ts'

/** Of a value as JSON in UTF-8. */
export const MAX_VALUE_BYTES = 64 * 1024
/** Of one user. */
export const MAX_KEYS = 1_000
/** Of all values of one user: an export reads, parses and encodes them at once, while live matches wait. */
export const MAX_TOTAL_BYTES = 8 * 1024 * 1024

/** 1 to 128 visible characters and spaces, such as `settings` or `saves/1`. */
export const StorageKey = z
  .string()
  .min(1)
  .max(128)
  .regex(/^\P{C}+$/u, 'only visible characters')

/** Whether others may read a value. */
export const StorageVisibility = z.enum(['private', 'public'])
export type StorageVisibility = z.infer<typeof StorageVisibility>

/** Any JSON. */
export const JsonValue = z.unknown().refine((value) => value !== undefined, 'is missing')

/** A value without the value itself. */
export const StoredEntry = z.object({
  key: z.string(),
  /** 1 for the first value of a key, and one more with each other. */
  version: z.number().int(),
  visibility: StorageVisibility,
  /** Of the value as JSON in UTF-8. */
  bytes: z.number().int(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
})
export type StoredEntry = z.infer<typeof StoredEntry>

export const StoredValue = z.object({ ...StoredEntry.shape, value: z.unknown() })
export type StoredValue = z.infer<typeof StoredValue>
