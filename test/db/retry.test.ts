import { expect } from 'vitest'
import type { Db, Tx } from '../../src/db/database.ts'
import { isUnavailable, withRetry } from '../../src/db/retry.ts'
import { databaseTest } from '../support/database-test.ts'
import { createUser } from './users.ts'

const test = databaseTest(10)

const byModel = (tx: Tx, id: string) => tx.user.update({ where: { id }, data: { totpLastStep: { increment: 1 } } })
const byStatement = (tx: Tx, id: string) =>
  tx.$executeRaw`UPDATE users SET totp_last_step = totp_last_step + 1 WHERE id = ${id}`

const stepOf = async (db: Db, id: string) => (await db.user.findUniqueOrThrow({ where: { id } })).totpLastStep

test.for([
  ['by models', byModel],
  ['by statements', byStatement],
] as const)('two transactions that lock each other out, %s, both happen', async ([, update], { database: { db } }) => {
  const [a, b] = await Promise.all([createUser(db), createUser(db)])
  const bothHoldOne = meeting(2)
  const cross = (first: string, second: string) => {
    let attempt = 0
    return withRetry(() =>
      db.$transaction(async (tx) => {
        await tx.$executeRaw`SET LOCAL deadlock_timeout = '50ms'`
        await update(tx, first)
        if (++attempt === 1) await bothHoldOne()
        await update(tx, second)
      }),
    )
  }
  await Promise.all([cross(a, b), cross(b, a)])
  expect([await stepOf(db, a), await stepOf(db, b)]).toEqual([2n, 2n])
})

test.for([
  ['by models', byModel],
  ['by statements', byStatement],
] as const)('ten serializable increments of one row, %s, all count', async ([, update], { database: { db } }) => {
  const id = await createUser(db)
  const increment = () =>
    withRetry(
      () =>
        db.$transaction(
          async (tx) => {
            await tx.user.findUniqueOrThrow({ where: { id } })
            await update(tx, id)
          },
          { isolationLevel: 'Serializable' },
        ),
      { attempts: 50, deadlineMs: 15_000 },
    )
  await Promise.all(Array.from({ length: 10 }, increment))
  expect(await stepOf(db, id)).toBe(10n)
})

test('gives up after its attempts, and at its deadline', async () => {
  const conflict = Object.assign(new Error('could not serialize'), { code: '40001' })
  let calls = 0
  const failing = async () => {
    calls++
    throw conflict
  }
  await expect(withRetry(failing, { attempts: 3 })).rejects.toBe(conflict)
  expect(calls).toBe(3)
  calls = 0
  const began = Date.now()
  await expect(withRetry(failing, { attempts: 1000, deadlineMs: 200 })).rejects.toBe(conflict)
  expect(Date.now() - began).toBeLessThan(1000)
  expect(calls).toBeLessThan(1000)
})

test('after a broken connection repeats only what may happen twice', async () => {
  const broken = new Error('Connection terminated unexpectedly')
  const brokenOnce = () => {
    let calls = 0
    return async () => {
      if (++calls === 1) throw broken
      return calls
    }
  }
  await expect(withRetry(brokenOnce())).rejects.toBe(broken)
  await expect(withRetry(brokenOnce(), { idempotent: true })).resolves.toBe(2)
  const bug = new TypeError('undefined is not a function')
  await expect(withRetry(() => Promise.reject(bug), { idempotent: true })).rejects.toBe(bug)
})

/** A function that resolves when `size` callers have called it. */
function meeting(size: number): () => Promise<void> {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  let came = 0
  return () => {
    if (++came === size) open()
    return opened
  }
}

test.for([
  ['a full disk', '53100'],
  ['no memory', '53200'],
  ['a disk that fails', '58030'],
  ['a server that only reads', '25006'],
] as const)('%s is an outage of the database, whoever reports it', ([, code]) => {
  expect(isUnavailable(Object.assign(new Error('no'), { code }))).toBe(true)
  const wrapped = { code: 'P2010', meta: { driverAdapterError: { cause: { kind: 'postgres', originalCode: code } } } }
  expect(isUnavailable(Object.assign(new Error('no'), wrapped))).toBe(true)
})
