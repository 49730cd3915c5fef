import { NodeCallError } from './bus/node-calls.ts'
import { isUnavailable, Overloaded } from './db/retry.ts'
import { OnceConflict, UserGone } from './db/stored-answers.ts'
import { RpcError } from './rpc/index.ts'

/** What a client is told of an error of the database or of another node; undefined for errors that it must not see. */
export function translateError(error: unknown): RpcError | undefined {
  if (error instanceof NodeCallError) return new RpcError(error.code, error.message, error)
  if (error instanceof OnceConflict) return new RpcError('CONFLICT', 'This eid was used for another request')
  if (error instanceof UserGone) return new RpcError('UNAUTHENTICATED', 'This account was removed')
  if (error instanceof Overloaded) return new RpcError('UNAVAILABLE', 'Too busy', { retryAfterMs: 500 })
  if (isUnavailable(error)) return new RpcError('UNAVAILABLE', 'The database does not answer', { retryAfterMs: 1000 })
  return undefined
}
