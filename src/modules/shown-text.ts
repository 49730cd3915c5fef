import { z } from 'zod'

// What users write and others read. Browser-safe.

/**
 * Characters that turn text around (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), hide, or are empty letters.
 * The joiners of emoji and scripts are not among them.
 */
const NO_DISGUISE =
  /^(?!.*\u034f)[^\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]*$/su
const DISGUISED = 'no characters that hide or turn text around'
/** Not only spaces and marks. */
const SEEN = /[\p{L}\p{N}\p{P}\p{S}]/u
/** Composing shortens a text: this much longer it may be before. */
const BEFORE_COMPOSING = 8
const lengthOf = (text: string) => [...text].length

/** One line that can be seen, of `min` to `max` characters without the space around it. Composed (NFC). */
export function oneLine(min: number, max: number) {
  return z
    .string()
    .max(max * BEFORE_COMPOSING)
    .transform((text) => text.normalize('NFC').trim())
    .pipe(
      z
        .string()
        .refine((text) => lengthOf(text) >= min && lengthOf(text) <= max, `${min} to ${max} characters`)
        .regex(SEEN, 'something that can be seen')
        .regex(/^[^\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]*$/u, 'no control characters')
        .regex(NO_DISGUISE, DISGUISED)
        .regex(/^(?!.*\p{M}{4})/su, 'at most three marks on a letter'),
    )
}

/** Text of `min` to `max` characters; its lines are kept. Composed (NFC). */
export function lines(min: number, max: number) {
  return z
    .string()
    .max(max * BEFORE_COMPOSING)
    .transform((text) => text.normalize('NFC').replaceAll(/\r\n?/g, '\n').trim())
    .pipe(
      z
        .string()
        .refine((text) => lengthOf(text) >= min && lengthOf(text) <= max, `${min} to ${max} characters`)
        .refine((text) => min === 0 || SEEN.test(text), 'something that can be seen')
        .regex(/^(?:[^\p{Cc}\p{Cs}\p{Cn}]|\n)*$/u, 'no control characters')
        .regex(NO_DISGUISE, DISGUISED),
    )
}
