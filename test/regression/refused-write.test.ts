import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { z } from 'zod'
import type { Database } from '../../src/db/database.ts'
import { createOnce } from '../../src/db/stored-answers.ts'
import { module } from '../../src/modules/define.ts'

import { createUser } from '../db/users.ts'
import { callerUser } from '../support/caller-user.ts'
import { databaseTest } from '../support/database-test.ts'
import { method, openLoopback } from '../support/loopback.ts'

const test = databaseTest()

const writes = module({
  name: 't',
  methods: {
    write: method({
      summary: 'Writes.',
      access: 'user',
      effect: 'write',
      limit: { points: 3, perSeconds: 3600 },
      input: z.object({}),
      output: z.object({}),
      handle: async () => ({}),
    }),
  },
  subscriptions: {},
})

/** A database that counts its statements. */
function counted(database: Database) {
  const asked = { times: 0 }
  const counting: Pick<Database, 'sql' | 'transaction'> = {
    sql: database.sql,
    transaction(work, doubt) {
      asked.times++
      return database.transaction(work, doubt)
    },
  }
  return { asked, counting }
}

test('a write over its limit is refused without asking the database', async ({ database }) => {
  const user = callerUser('ada', await createUser(database.db))
  const { asked, counting } = counted(database)
  using socket = openLoopback(writes, user, createOnce(counting))
  const answers = await Promise.all(Array.from({ length: 50 }, () => socket.request('t.write', {}, randomUUID())))
  expect(answers.filter(({ error }) => error === 'RATE_LIMITED')).toHaveLength(47)
  expect(asked.times).toBe(3)
  expect(await database.db.write.count({ where: { userId: user.id } })).toBe(3)
})

test('a retry gets its answer and does not count against the limit, here and on another node', async ({ database }) => {
  const user = callerUser('ada', await createUser(database.db))
  const eids = ['a', 'b'] as const
  using first = openLoopback(writes, user, createOnce(database))
  for (const eid of eids) expect(await first.request('t.write', {}, eid)).not.toHaveProperty('error')
  const { asked, counting } = counted(database)
  using second = openLoopback(writes, user, createOnce(counting))
  for (let round = 0; round < 10; round++) {
    for (const eid of eids) {
      expect(await first.request('t.write', {}, eid)).not.toHaveProperty('error')
      expect(await second.request('t.write', {}, eid)).not.toHaveProperty('error')
    }
  }
  expect(asked.times).toBe(2)
  for (const socket of [first, second])
    expect((await socket.request('t.write', {}, randomUUID())).error).toBeUndefined()
  expect((await first.request('t.write', {}, randomUUID())).error).toBe('RATE_LIMITED')
  for (let round = 0; round < 2; round++) {
    expect((await second.request('t.write', {}, randomUUID())).error).toBeUndefined()
  }
  expect((await second.request('t.write', {}, randomUUID())).error).toBe('RATE_LIMITED')
})
