import { expect } from 'vitest'
import { z } from 'zod'
import { modules } from '../../src/modules/index.ts'
import { newAdmin } from '../support/admins.ts'
import { rallyTest } from '../support/rally-test.ts'

const test = rallyTest({
  limits: { requestsPerSecond: 10_000, requestsBurst: 10_000, bytesPerSecond: 10_000_000, bytesBurst: 10_000_000 },
})

/** What a list needs besides the cursor. */
const inputs: Readonly<Record<string, object>> = {
  'matches.ratings': { game: 'pong' },
  'matches.history': { username: 'nobody' },
  'users.search': { prefix: 'a' },
}

const lists = Object.values(modules).flatMap(({ name, methods }) =>
  Object.entries(methods).flatMap(([method, { input }]) =>
    input instanceof z.ZodObject && 'cursor' in input.shape ? [`${name}.${method}`] : [],
  ),
)

/** The first and the last ranks that a cursor can have, with ids of each kind. */
const cursors = ['0', '5000000000', '999999999999999'].flatMap((rank) =>
  ['0b0e7f4a-5d0c-4d8e-9a51-7f9f4a3c2b10', '17', '9'.repeat(18), '9'.repeat(40), 'ada', '-'].map(
    (id) => `${rank}_${id}`,
  ),
)

test('every list answers the cursor of another list, or refuses it as invalid', async ({ rally }) => {
  const { client } = await newAdmin(rally)
  expect(lists).toContain('matches.ratings')
  for (const type of lists) {
    const input = inputs[type] ?? {}
    expect(await client.request(type, input), type).not.toHaveProperty('error')
    for (const cursor of cursors) {
      const { error = 'ok' } = await client.request(type, { ...input, cursor })
      expect(['ok', 'VALIDATION_FAILED'], `${type} ${cursor}: ${error}`).toContain(error)
    }
  }
  const { error } = await client.request('matches.ratings', { game: 'pong', cursor: '1795176728528_ada' })
  expect(error).toBe('VALIDATION_FAILED')
})
