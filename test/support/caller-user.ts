import { UserId } from '../../src/modules/wire.ts'
import type { CallerUser } from '../../src/rpc/index.ts'

/** A user of whom only the name matters. */
export function callerUser(username: string, id = `id-of-${username}`): CallerUser {
  return {
    id: UserId.parse(id),
    username,
    displayName: username,
    createdAt: 0,
    role: 'player',
    authenticatorResetAt: null,
  }
}
