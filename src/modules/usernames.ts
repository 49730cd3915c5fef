import { z } from 'zod'

/** A username: 3 to 20 of a-z, 0-9 and `_`. Capitals become small letters. */
export const Username = z
  .string()
  .min(3)
  .max(20)
  .regex(/^[A-Za-z0-9_]+$/, 'only letters, digits and _')
  .transform((name) => name.toLowerCase())

/**
 * The username that a shown name looks like: without characters that are not drawn, and with the plain forms of letters (NFKC).
 * Letters of other scripts that look alike stay what they are.
 */
export function asUsername(name: string): string {
  return name
    .normalize('NFKC')
    .replaceAll(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
    .trim()
    .toLowerCase()
}
