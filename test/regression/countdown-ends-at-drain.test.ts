import { once } from 'node:events'
import { expect, test, vi } from 'vitest'
import type { MemoryCluster } from '../../src/bus/memory.ts'
import { statement } from '../../src/db/sql.ts'
import { matchService } from '../../src/modules/matches/service.ts'
import { CONNECT_FOUR, create, follow, startQuickRally } from '../matches/support.ts'
import { within } from '../support/client.ts'
import { createTestDatabase } from '../support/database.ts'
import { newcomer, openSocket } from '../support/newcomers.ts'

const LOCK = statement('test.lock', 'SELECT 1 FROM matches WHERE id = ANY($1) FOR UPDATE')
const LOCAL = { mode: 'local', ...CONNECT_FOUR }

test('a match whose countdown ended just before its node began to leave begins on another node', async () => {
  await using database = await createTestDatabase()
  const cluster: MemoryCluster = new Map()
  await using leaving = await startQuickRally({ countdownMs: 1_000 }, { database, cluster })
  const { secrets, database: pool } = leaving.config
  await using staying = await startQuickRally({}, { database, cluster, config: { secrets } })
  const { transaction } = await database.open({ transactionTimeoutMs: 30_000 })
  const player = await newcomer(leaving)

  // As many matches as the node begins at once, and one that has to wait for them.
  const others: string[] = []
  while (others.length < Math.floor(pool.poolSize / 4)) others.push((await create(player.client, LOCAL)).id)
  const [locked, released] = [new AbortController(), new AbortController()]
  const isLocked = once(locked.signal, 'abort')
  const holding = transaction(async ({ sql }) => {
    await sql.rows(LOCK, [others])
    locked.abort()
    await once(released.signal, 'abort')
  })
  await isLocked
  const elsewhere = await openSocket(staying, player.player)
  const match = await follow(elsewhere, (await create(player.client, LOCAL)).id)
  const { startsAt } = await match.until((seen) => seen.startsAt !== null)
  const { queues } = leaving.app.platform.use(matchService)
  await expect.poll(() => queues['matches.work'].length, { timeout: 5_000 }).toBe(1)
  // A sweep of the other node would begin it as well, but seconds later.
  const tell = vi.spyOn(leaving.app.platform.nodes, 'tell')
  const stopped = leaving.stop()
  expect(await within(player.client.closed, 'the closing')).toMatchObject({ code: 4000 })
  released.abort()
  await holding

  const handedOver = [staying.app.platform.node, 'matches.countdown', { matchId: match.latest.id, startsAt }]
  await expect.poll(() => tell.mock.calls).toContainEqual(handedOver)
  await match.live()
  expect(staying.app.platform.engine.get(match.latest.id)).toBeDefined()
  await stopped
})
