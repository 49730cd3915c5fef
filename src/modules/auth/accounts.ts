import { randomUUID } from 'node:crypto'
import type { Db, Tx } from '../../db/client.ts'
import { UserId } from '../wire.ts'
import { hashRecoveryCode } from './recovery-codes.ts'
import type { Sealed } from './secret-box.ts'
import type { User } from './types.ts'

/** What a user's row says, as the rest of this module needs it. */
export interface Account extends User {
  readonly totp: Sealed
}

export interface NewAccount {
  readonly id: string
  readonly username: string
  readonly displayName: string
  readonly totp: Sealed
  /** The step whose code proved the secret: it does not sign in a second time. */
  readonly totpLastStep: number
  readonly createdAt: Date
}

const select = {
  id: true,
  username: true,
  displayName: true,
  createdAt: true,
  totpKeyId: true,
  totpSecret: true,
} as const

interface Row {
  readonly id: string
  readonly username: string
  readonly displayName: string
  readonly createdAt: Date
  readonly totpKeyId: string
  readonly totpSecret: Uint8Array<ArrayBuffer>
}

/** Users, their authenticator and their recovery codes in the database. */
export const accounts = {
  async byName(db: Db | Tx, username: string): Promise<Account | null> {
    const row = await db.user.findUnique({ where: { username }, select })
    return row && toAccount(row)
  },

  /** One row comes back whether somebody has the name or not, so that both cost the same. */
  async idByName(db: Db | Tx, username: string): Promise<string | null> {
    const rows = await db.$queryRaw<{ id: string | null }[]>`
      SELECT users.id FROM (SELECT ${username}::text AS username) AS asked LEFT JOIN users USING (username)`
    return rows[0]?.id ?? null
  },

  async byId(db: Db | Tx, id: string): Promise<Account | null> {
    const row = await db.user.findUnique({ where: { id }, select })
    return row && toAccount(row)
  },

  /** False, and nothing written, when somebody has the name already. Has to run in a transaction. */
  async insert(db: Db | Tx, account: NewAccount, recoveryCodes: readonly string[]): Promise<boolean> {
    const { totp, ...user } = account
    const data = { ...user, totpKeyId: totp.keyId, totpSecret: totp.bytes }
    const { count } = await db.user.createMany({ data: [data], skipDuplicates: true })
    if (count === 0) return false
    await insertRecoveryCodes(db, account.id, recoveryCodes)
    return true
  },

  /**
   * Marks the codes up to `step` as used. False when that had happened before, so that of two who come with the same
   * code one gets in; and for a `step` of null, which no user is behind.
   */
  async spendStep(db: Db | Tx, userId: string, step: number | null): Promise<boolean> {
    const { count } = await db.user.updateMany({
      where: { id: userId, totpLastStep: { lt: step ?? -1 } },
      data: { totpLastStep: step ?? -1 },
    })
    return count === 1
  },

  /** Uses up a recovery code; false when it is none of theirs or was used before. */
  async spendRecoveryCode(db: Db | Tx, userId: string, code: string, now: Date): Promise<boolean> {
    const { count } = await db.recoveryCode.updateMany({
      where: { userId, hash: hashRecoveryCode(userId, code), usedAt: null },
      data: { usedAt: now },
    })
    return count === 1
  },

  /**
   * Replaces the authenticator, and with it all recovery codes. Has to run in a transaction. False, and nothing written,
   * when `totp` is the present one already: of two who commit the same one, one gets the codes.
   */
  async replaceTotp(
    db: Db | Tx,
    userId: string,
    totp: Sealed,
    step: number,
    codes: readonly string[],
  ): Promise<boolean> {
    const { count } = await db.user.updateMany({
      where: { id: userId, totpSecret: { not: totp.bytes } },
      data: { totpKeyId: totp.keyId, totpSecret: totp.bytes, totpLastStep: step },
    })
    if (count === 0) return false
    await db.recoveryCode.deleteMany({ where: { userId } })
    await insertRecoveryCodes(db, userId, codes)
    return true
  },

  /** Stores the same secret under another key, unless it was replaced since `from` was read. */
  async reseal(db: Db | Tx, userId: string, from: Sealed, to: Sealed): Promise<void> {
    await db.user.updateMany({
      where: { id: userId, totpKeyId: from.keyId, totpSecret: from.bytes },
      data: { totpKeyId: to.keyId, totpSecret: to.bytes },
    })
  },
}

/** The part of an account that its owner sees. */
export function toUser({ id, username, displayName, createdAt }: User): User {
  return { id, username, displayName, createdAt }
}

function toAccount({ id, createdAt, totpKeyId, totpSecret, ...names }: Row): Account {
  const totp = { keyId: totpKeyId, bytes: totpSecret }
  return { ...names, id: UserId.parse(id), createdAt: createdAt.getTime(), totp }
}

async function insertRecoveryCodes(db: Db | Tx, userId: string, codes: readonly string[]): Promise<void> {
  const data = codes.map((code) => ({ id: randomUUID(), userId, hash: hashRecoveryCode(userId, code) }))
  await db.recoveryCode.createMany({ data })
}
