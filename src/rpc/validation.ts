import type { z } from 'zod'
import type { Issue } from '../protocol/index.ts'
import { RpcError } from './errors.ts'

export function invalid(issues: readonly Issue[], message = 'The data is not valid'): RpcError {
  return new RpcError('VALIDATION_FAILED', message, { issues })
}

/** An error of zod or of a game's schema. */
export interface Invalid {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
}

/**
 * The first ten issues: a hostile input may have thousands. `under` is the field that the schema describes, if that is
 * not the whole input.
 */
export function toIssues({ issues }: Invalid, under?: string): Issue[] {
  return issues.slice(0, 10).map(({ path, message }) => {
    const fields = path.map(String)
    return { path: (under === undefined ? fields : [under, ...fields]).join('.'), message }
  })
}

/**
 * The issues of `value` as an output of `schema`. A key that the schema does not name is an issue, too: it may hold
 * something that the client must not see. Of a union the first member that fits is compared, so a member that is part of
 * another has to come after it.
 */
export function faultsOf(schema: z.ZodType, value: unknown): Issue[] {
  const parsed = schema.safeParse(value)
  if (!parsed.success) return toIssues(parsed.error)
  return unnamedKeys(value, parsed.data, []).map((path) => ({ path, message: 'is not in the schema' }))
}

/** Paths that are in `value` and not in `named`, the parsed value. */
function unnamedKeys(value: unknown, named: unknown, path: readonly string[]): string[] {
  if (value === named || !isObject(value) || !isObject(named)) return []
  return Object.keys(value).flatMap((key) => {
    // JSON leaves it out.
    if (value[key] === undefined) return []
    return Object.hasOwn(named, key) ? unnamedKeys(value[key], named[key], [...path, key]) : [[...path, key].join('.')]
  })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
