import { EventEmitter, once } from 'node:events'
import { expect, test, vi } from 'vitest'
import { CONNECT_FOUR, startLive, startQuickRally } from '../matches/support.ts'
import { eventually } from '../support/eventually.ts'
import { newcomer } from '../support/newcomers.ts'

test('a comparison with the rows that began before a newer pause does not end that pause', async () => {
  await using rally = await startQuickRally()
  const { db } = await rally.database.open()
  const { database, engine, lease, node } = rally.app.platform
  const { client } = await newcomer(rally)
  const { latest } = await startLive(client, { mode: 'local', ...CONNECT_FOUR })
  const runner = engine.get(latest.id)
  if (!runner) throw new Error('the match does not run')

  // Comparisons wait until they may go on.
  const comparisons = new EventEmitter()
  const rows = database.sql.rows.bind(database.sql)
  const holding = vi.spyOn(database.sql, 'rows').mockImplementation(async (statement, values) => {
    const answer = await rows(statement, values)
    if (statement.name !== 'matches.compare') return answer
    const released = once(comparisons, 'release')
    comparisons.emit('wait')
    await released
    return answer
  })
  /**
   * Another node took this one for dead, and this one notices by its new row: it pauses its matches. The row is replaced at
   * once: without one, this node aborts its matches as those of a node that is gone.
   */
  const pause = async () => {
    const paused = new Promise<void>((resolve) => lease.onRevived(resolve))
    await db.node.update({ where: { id: node }, data: { startedAt: new Date() } })
    await paused
  }

  // The sweep compares, too: after this one, the next is seconds away.
  await once(comparisons, 'wait')
  comparisons.emit('release')
  const first = once(comparisons, 'wait')
  await pause()
  await first
  await pause()
  const second = once(comparisons, 'wait')
  comparisons.emit('release')
  await second
  expect(runner.paused).toBe(true)
  holding.mockRestore()
  comparisons.emit('release')
  await eventually(
    async () => runner.paused,
    (paused) => !paused,
  )
}, 40_000)
