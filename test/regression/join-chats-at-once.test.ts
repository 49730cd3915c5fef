import { expect } from 'vitest'
import { create } from '../matches/support.ts'
import { newcomer } from '../support/newcomers.ts'
import { matchTimes, rallyTest } from '../support/rally-test.ts'

// Each join of a match's chat held a connection and waited for a second one: more of them than the pool has connections
// stopped all until they were refused.

const test = rallyTest({ config: { matches: matchTimes() } })

test('the chat of a match is joined by more requests at once than there are connections', async ({ rally }) => {
  const { client } = await newcomer(rally)
  const { id: matchId } = await create(client)
  const joins = Array.from({ length: 30 }, () => client.request('rooms.join', { matchId }))
  expect((await Promise.all(joins)).map(({ error }) => error)).toEqual(joins.map(() => undefined))
})
