import { randomBytes, randomUUID } from 'node:crypto'
import type { Db } from '../../src/db/database.ts'

/** Adds an account with a name nobody has, and answers its id. */
export async function createUser(db: Db): Promise<string> {
  const id = randomUUID()
  const username = `u_${randomBytes(8).toString('hex')}`
  await db.user.create({
    data: { id, username, displayName: username, totpKeyId: 'test', totpSecret: randomBytes(16) },
  })
  return id
}
