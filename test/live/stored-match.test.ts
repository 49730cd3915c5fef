import { expect } from 'vitest'
import type { Sql } from '../../src/db/sql.ts'
import { storedMatches } from '../../src/modules/live/stored-match.ts'
import { rallyTest } from '../support/rally-test.ts'
import { createLocal, enterLive } from './live-client.ts'

const test = rallyTest()

test('those who ask for matches in the same moment share one query', async ({ rally, ada }) => {
  await using live = await enterLive(rally.url, ada)
  const match = await createLocal(live, 'pong', { pointsToWin: 3 })
  const { sql } = rally.app.platform.database
  let queries = 0
  const counted: Sql = {
    rows(statement, values) {
      queries++
      return sql.rows(statement, values)
    },
    first: () => Promise.reject(new Error('not asked')),
  }
  const find = storedMatches(counted)
  const found = await Promise.all(Array.from({ length: 100 }, (_, at) => find(at % 2 === 0 ? match.id : 'none')))
  expect(queries).toBe(1)
  expect(found[1]).toBeUndefined()
  expect(found[98]).toMatchObject({
    game: 'pong',
    status: 'waiting',
    options: { pointsToWin: 3 },
    ticks: null,
    finalState: null,
    startedAt: null,
    seats: [
      { seat: 0, userId: ada.id },
      { seat: 1, userId: ada.id },
    ],
  })
})
