import { test as base } from 'vitest'
import { createTestDatabase } from './database.ts'

/** `test` for a file whose tests share one database. */
export function databaseTest(poolSize = 5) {
  return base
    .extend('poolSize', { scope: 'file' }, poolSize)
    .extend('testDatabase', { scope: 'file' }, async ({ poolSize: _ }, { onCleanup }) => {
      const database = await createTestDatabase()
      onCleanup(() => database.drop())
      return database
    })
    .extend('database', { scope: 'file' }, ({ testDatabase, poolSize }) => testDatabase.open({ poolSize }))
}
