// Makes a user an admin, as for the first one:
//   node dist/commands/grant-admin.js <username>      npm run admin -- <username>
// The exit code is 0 when the user is an admin, 1 when not, and 2 for wrong arguments. Servers may run meanwhile.
import { randomUUID } from 'node:crypto'
import { statement } from '../db/sql.ts'
import { isBannedAt } from '../modules/auth/bans.ts'
import { Username } from '../modules/usernames.ts'
import { withInstalledDatabase } from './installed-database.ts'

/** Values: username, id of the row in the audit log. */
const GRANT = statement<{ readonly isNew: boolean; readonly isBanned: boolean }>(
  'command.grantAdmin',
  `WITH promoted AS (
     UPDATE users SET role = 'admin', role_changed_at = now() WHERE username = $1 AND role <> 'admin' RETURNING id
   ), recorded AS (
     INSERT INTO audit_log (id, at, act, user_id, details)
     SELECT $2, clock_timestamp(), 'setRole', id, '{"role":"admin"}' FROM promoted
   )
   SELECT EXISTS (SELECT FROM promoted) AS "isNew", ${isBannedAt('now()')} AS "isBanned" FROM users WHERE username = $1`,
)

const given = process.argv.slice(2)
const username = Username.safeParse(given[0])
if (!username.success || given.length !== 1) {
  process.stderr.write('usage: npm run admin -- <username>, or: node dist/commands/grant-admin.js <username>\n')
  process.exit(2)
}
try {
  await grant(username.data)
} catch (error) {
  process.stderr.write(`Nothing was done: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

async function grant(name: string): Promise<void> {
  const user = await withInstalledDatabase(process.env, ({ sql }) => sql.first(GRANT, [name, randomUUID()]))
  if (!user) {
    process.stderr.write(`There is no user "${name}". Register this name on the page first.\n`)
    process.exitCode = 1
    return
  }
  const done = user.isNew
    ? `${name} is an admin now. Pages of theirs that are open get the role within a second.`
    : `${name} is an admin already.`
  const but = user.isBanned ? ' But they are banned: another admin has to lift that.' : ''
  process.stdout.write(`${done}${but}\n`)
}
