import { expect, test } from 'vitest'
import { createDatabase } from '../../src/db/database.ts'
import { statement } from '../../src/db/sql.ts'
import { createTestDatabase } from '../support/database.ts'
import { quietLog } from '../support/quiet-log.ts'

const NOTHING = statement('test.nothing', 'SELECT 1')

test('a statement that waits for a connection is seen waiting, and its wait is measured', async () => {
  const testDatabase = await createTestDatabase()
  const database = await createDatabase({
    url: testDatabase.url,
    poolSize: 1,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 5_000,
    transactionTimeoutMs: 5_000,
    log: quietLog,
  })
  const { main } = database.pools
  try {
    await database.sql.rows(NOTHING)
    expect([main.size, main.idle, main.waiting, main.max]).toEqual([1, 1, 0, 1])
    const waitsBefore = main.waits.copy()
    let waited: Promise<unknown> = Promise.resolve()
    await database.transaction(async ({ sql }) => {
      await sql.rows(NOTHING)
      waited = database.sql.rows(NOTHING)
      expect([main.size, main.idle, main.waiting]).toEqual([1, 0, 1])
      await new Promise((resolve) => setTimeout(resolve, 20))
    })
    await waited
    expect(main.waiting).toBe(0)
    expect(main.waits.sum - waitsBefore.sum).toBeGreaterThan(19)
  } finally {
    await database.close()
    await testDatabase.drop()
  }
})
