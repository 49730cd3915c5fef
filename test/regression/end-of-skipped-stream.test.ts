import { expect, test } from 'vitest'
import { defaultLimits } from '../../src/protocol/index.ts'
import { type Channel, channel } from '../../src/rpc/index.ts'
import { createHub } from '../support/hub.ts'

/** A socket that follows `stream`, is too slow for two of its events, and gets what comes with its end. */
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

test('a slow socket gets the last event of a latest stream with its end', async () => {
  expect(await sentAtTheEnd(channel('t.onState', '1'))).toMatchObject([
    { seq: 3, data: { tick: 3 } },
    { error: 'STREAM_CLOSED', data: { reason: 'finished' } },
  ])
})

test('a slow socket has to reopen a stream whose events build on one another', async () => {
  const inputs = channel<object>('t.onInputs', '1', { incremental: true })
  expect(await sentAtTheEnd(inputs)).toMatchObject([{ error: 'STREAM_CLOSED', data: { reason: 'behind' } }])
})
