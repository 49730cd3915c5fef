import type { z } from 'zod'
import type { Issue } from '../protocol/index.ts'
import { RpcError } from './errors.ts'

export function invalid(issues: readonly Issue[]): RpcError {
  return new RpcError('VALIDATION_FAILED', 'The data is not valid', { issues })
}

/** At most ten of them: the rest of a hostile input's are never put into words. */
export function toIssues(error: z.ZodError): Issue[] {
  return error.issues.slice(0, 10).map(({ path, message }) => ({ path: path.join('.'), message }))
}
