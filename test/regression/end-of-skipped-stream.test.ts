import { expect, test } from 'vitest'
import { defaultLimits } from '../../src/protocol/index.ts'
import { type Channel, channel } from '../../src/rpc/index.ts'
import { createHub } from '../support/hub.ts'

/** One socket that follows `stream`, is too slow for two events of it, and is sent what comes with its end. */
async function sentAtTheEnd(stream: Channel<object>): Promise<unknown[]> {
  const { hub, open } = createHub()
  const reader = open()
  const { connection, sent } = reader
  await hub.follow(
    connection,
    'latest',
    () => ({ channel: stream, seq: 1, snapshot: {} }),
    () => true,
  )
  reader.unsent = defaultLimits.latestUnsentBytes + 1
  hub.checkBacklog(connection)
  hub.publish(stream, 2, { tick: 2 })
  hub.publish(stream, 3, { tick: 3 })
  expect(sent).toEqual([])

  hub.end(stream, 'finished')
  expect(connection.following.size).toBe(0)
  return sent
}

test('who is too slow for the last event of a latest stream gets it with the end', async () => {
  expect(await sentAtTheEnd(channel('t.onState', '1'))).toMatchObject([
    { seq: 3, data: { tick: 3 } },
    { error: 'STREAM_CLOSED', data: { reason: 'finished' } },
  ])
})

test('who is too slow for the last events of a stream in which each builds on those before has to see it anew', async () => {
  const inputs = channel<object>('t.onInputs', '1', { incremental: true })
  expect(await sentAtTheEnd(inputs)).toMatchObject([{ error: 'STREAM_CLOSED', data: { reason: 'behind' } }])
})
