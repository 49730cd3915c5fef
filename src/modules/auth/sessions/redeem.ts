import { type Sql, statement } from '../../../db/sql.ts'
import type { CallerUser } from '../../../rpc/index.ts'
import { USER } from '../accounts.ts'
import { isBannedAt } from '../bans.ts'

// A ticket counts once: of two requests with the same ticket one inserts its row, and only that one makes a session. No row
// when the ticket was used before, or its user is gone or banned, or sign-ins were cancelled since. What bans the user or
// cancels sign-ins at the same time waits for the lock, and then ends this session too.
const REDEEM = statement<{ readonly user: CallerUser }>(
  'sessions.redeem',
  redeemSql({ column: '', value: '', table: '', condition: '', lock: '' }),
)

// A passkey that is being removed is waited for, and then makes no session.
const REDEEM_WITH_PASSKEY = statement<{ readonly user: CallerUser }>(
  'sessions.redeemWithPasskey',
  redeemSql({
    column: ', passkey_id',
    value: ', passkeys.id',
    table: ', passkeys',
    condition: 'AND passkeys.id = $10 AND passkeys.user_id = users.id',
    lock: ', passkeys',
  }),
)

/**
 * Makes a session for a ticket, or answers null. Values: the ticket's id and end, user, session, address, browser, now, the end
 * of the session, the user's version of sign-ins.
 */
export function redeem(
  sql: Sql,
  values: readonly unknown[],
  passkeyId: string | undefined,
): Promise<{ readonly user: CallerUser } | null> {
  return passkeyId === undefined ? sql.first(REDEEM, values) : sql.first(REDEEM_WITH_PASSKEY, [...values, passkeyId])
}

/** The statement, and what it adds for a ticket that names a passkey. */
function redeemSql(more: Readonly<Record<'column' | 'value' | 'table' | 'condition' | 'lock', string>>): string {
  return `WITH ticket AS (
     INSERT INTO used_tickets (jti, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING jti
   ), session AS (
     INSERT INTO sessions (id, user_id, ip, user_agent, created_at, last_seen_at, expires_at${more.column})
     SELECT $4, users.id, $5, $6, $7, $7, $8${more.value} FROM users, ticket${more.table}
     WHERE users.id = $3 AND NOT ${isBannedAt('$7')} AND sign_in_version = $9
       ${more.condition}
     FOR SHARE OF users${more.lock}
     RETURNING user_id
   )
   SELECT ${USER} FROM users JOIN session ON session.user_id = users.id`
}
