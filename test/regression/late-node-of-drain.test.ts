import { expect, test } from 'vitest'
import type { MemoryCluster } from '../../src/bus/memory.ts'
import { CONNECT_FOUR, follow, playConnectFour, startLive, startQuickRally } from '../matches/support.ts'
import { within } from '../support/client.ts'
import { createTestDatabase } from '../support/database.ts'
import { newcomer } from '../support/newcomers.ts'

const LOCAL = { mode: 'local', ...CONNECT_FOUR }

test('a node that started while another left keeps its players when it leaves too', async () => {
  const database = await createTestDatabase()
  const cluster: MemoryCluster = new Map()
  const first = await startQuickRally({}, { database, cluster, config: { drainMs: 60_000 } })
  const staying = await newcomer(first)
  await startLive(staying.client, LOCAL)
  const firstStopped = first.stop()
  const { secrets } = first.config
  const late = await startQuickRally({}, { database, cluster, config: { secrets, drainMs: 60_000 } })
  // There is another node now.
  expect(await within(staying.client.closed, 'the closing')).toMatchObject({ code: 4000 })

  const player = await newcomer(late)
  const { id } = (await startLive(player.client, LOCAL)).latest
  const result = await follow(player.client, id)
  const lateStopped = late.stop()
  await playConnectFour([player.client], id)
  expect(await result.over()).toMatchObject({ status: 'finished', winnerSeat: 0 })
  expect(await within(player.client.closed, 'the closing')).toMatchObject({ code: 4000 })
  await within(lateStopped, 'the stop')
  await first.app.stop(0)
  await firstStopped
  await database.drop()
})
