import { type Newcomer, newcomer, openSocket } from './newcomers.ts'
import type { Rally } from './server.ts'

/** Makes a user an admin, as `npm run admin` does for the first one. Sockets that are open stay those of a player. */
export async function promote({ app }: Rally, userId: string): Promise<void> {
  await app.platform.database.db.user.update({ where: { id: userId }, data: { role: 'admin' } })
}

/** A new admin with one socket. */
export async function newAdmin(rally: Rally): Promise<Newcomer> {
  const admin = await newcomer(rally)
  await promote(rally, admin.player.id)
  await admin.client.close()
  admin.client = await openSocket(rally, admin.player)
  return admin
}
