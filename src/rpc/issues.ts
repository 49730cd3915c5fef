import type { Issue } from '../protocol/index.ts'
import { RpcError } from './errors.ts'

export function invalid(issues: readonly Issue[]): RpcError {
  return new RpcError('VALIDATION_FAILED', 'The data is not valid', { issues })
}

/** What zod says of a value that is none of the schema's. */
export interface Invalid {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]
}

/** At most ten of them: the rest of a hostile input's are never put into words. */
export function toIssues(error: Invalid): Issue[] {
  return error.issues.slice(0, 10).map(({ path, message }) => ({ path: path.map(String).join('.'), message }))
}
