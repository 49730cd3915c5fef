import { statement } from '../../db/sql.ts'
import { type Call, RpcError } from '../../rpc/index.ts'
import type { Scope } from '../scope.ts'
import { accounts } from './accounts.ts'
import { type AuthParts, signedIn } from './auth-parts.ts'

/** Nobody can register the name of a removed account for so long, and be taken for its user. */
const RESERVED_DAYS = 30

/** Values: name, until when. */
const RESERVE_NAME = statement(
  'accounts.reserveName',
  `INSERT INTO reserved_names (username, until) VALUES ($1, $2)
   ON CONFLICT (username) DO UPDATE SET until = EXCLUDED.until`,
)

// One admin always remains: nobody takes the role from themselves either.
const DELETE_USER = statement<{ id: string }>(
  'accounts.delete',
  `DELETE FROM users WHERE id = $1 AND role <> 'admin' RETURNING id`,
)

/** Deletes accounts. What other modules keep of a user goes with the row of the user, by foreign keys. */
export class Removal {
  readonly #parts: AuthParts

  constructor(parts: AuthParts) {
    this.#parts = parts
  }

  /** Until the transaction ends the user takes no seat and starts no session. @throws RpcError UNAUTHENTICATED */
  async lock({ sql }: Scope, call: Call): Promise<void> {
    const { user, sessionId } = signedIn(call)
    if (await accounts.lockSignedInToDelete(sql, user.id, sessionId)) return
    throw new RpcError('UNAUTHENTICATED', 'This session has ended')
  }

  /** Ends all sessions, reserves the name, and deletes the user. The sockets are closed with 4501. @throws RpcError FORBIDDEN for an admin */
  async remove(scope: Scope, user: { readonly id: string; readonly username: string }): Promise<void> {
    const { sessions, now } = this.#parts
    await sessions.finishAll(scope, user.id, { reason: 'removed' })
    const until = new Date(now() + RESERVED_DAYS * 24 * 60 * 60_000)
    await scope.sql.rows(RESERVE_NAME, [user.username, until])
    if (await scope.sql.first(DELETE_USER, [user.id])) return
    throw new RpcError('FORBIDDEN', 'You are an admin: let another admin take the role from you first')
  }
}
