import { RallyError } from '../../src/client/index.ts'
import type { Input, Output } from '../../src/modules/index.ts'

/** Methods whose requests or answers are larger than a frame of the socket. */
type LargeMethod = 'users.updateProfile' | 'users.export'

/** Calls a method over HTTP. Each call has an id of its own, so it is no retry of another. @throws RallyError */
export async function callOverHttp<Name extends LargeMethod>(type: Name, data: Input<Name>): Promise<Output<Name>> {
  const answer = await fetch(`/rpc/${type}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
    body: JSON.stringify(data),
  }).catch(() => {
    throw new RallyError('OFFLINE', 'There is no connection to the server', { type })
  })
  const body = await answer.json().catch(() => ({ error: 'UNAVAILABLE' }))
  if (answer.ok) return body
  const { message = 'The server refused it', ...details } = body.data ?? {}
  throw new RallyError(body.error ?? 'UNAVAILABLE', message, { ...details, type })
}
