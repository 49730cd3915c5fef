import { expect } from 'vitest'
import type { LiveFrame } from '../../src/modules/live/types.ts'
import { rallyTest } from '../support/rally-test.ts'
import { createLocal, enterLive, quickStart, whenLive } from './live-client.ts'

const test = rallyTest({ config: quickStart })

test('a user with both seats has to name the seat of an input', async ({ rally, ada }) => {
  await using live = await enterLive(rally.url, ada)
  const { client } = live
  const { id: matchId } = await createLocal(live, 'connect-four', { first: 0 })
  await whenLive(rally, live, matchId)
  const { events } = await client.subscribe<LiveFrame>('live.onState', { matchId })
  const drop = (data: object) =>
    client.send(
      JSON.stringify({
        type: 'live.input',
        eid: 'drop',
        ts: Date.now(),
        data: { matchId, input: { column: 3 }, ...data },
      }),
    )
  drop({})
  expect(await client.next()).toMatchObject({
    type: 'live.input',
    eid: 'drop',
    error: 'VALIDATION_FAILED',
    data: { issues: [{ path: 'seat', message: expect.any(String) }] },
  })
  drop({ seat: 0 })
  // Had the first one counted, this would be the second turn.
  expect((await events.next(({ data }) => data.tick > 0)).data).toMatchObject({ tick: 1, state: { discs: 1 } })
  drop({ seat: 2 })
  expect(await client.next()).toMatchObject({ error: 'NOT_SEATED' })
})
