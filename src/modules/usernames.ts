import { z } from 'zod'

/** A username: 3 to 20 of a-z, 0-9 and `_`. Capitals become small letters. */
export const Username = z
  .string()
  .min(3)
  .max(20)
  .regex(/^[A-Za-z0-9_]+$/, 'only letters, digits and _')
  .transform((name) => name.toLowerCase())
