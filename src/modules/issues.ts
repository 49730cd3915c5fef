import type { z } from 'zod'
import type { Issue } from '../protocol/index.ts'

/** The issues of a part of the input that was checked by a schema of its own, with paths from the whole. */
export function toIssuesUnder(path: string, error: z.ZodError): Issue[] {
  return error.issues.slice(0, 10).map((issue) => ({ path: [path, ...issue.path].join('.'), message: issue.message }))
}
