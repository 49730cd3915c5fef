import { expect, test } from 'vitest'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { defaultLimits } from '../../src/protocol/index.ts'
import { type Channel, Connection, channel, Hub } from '../../src/rpc/index.ts'

/** One socket that follows `stream`, is too slow for two events of it, and is sent what comes with its end. */
async function sentAtTheEnd(stream: Channel<object>): Promise<unknown[]> {
  const bus = createMemoryBus((error) => {
    throw error
  })
  const hub = new Hub({ bus, latestUnsentBytes: defaultLimits.latestUnsentBytes })
  const caller = { user: null, sessionId: null, ip: '127.0.0.1', userAgent: '', device: null }
  const sent: string[] = []
  const nothing = () => undefined
  let unsent = 0
  const peer = {
    send: (frame: string | Uint8Array) => void sent.push(String(frame)),
    join: nothing,
    leave: nothing,
    unsentBytes: () => unsent,
    close: nothing,
  }
  const connection = new Connection('1', caller, peer, defaultLimits, Date.now())
  await hub.follow(
    connection,
    'latest',
    () => ({ channel: stream, seq: 1, snapshot: {} }),
    () => true,
  )
  unsent = defaultLimits.latestUnsentBytes + 1
  hub.checkBacklog(connection)
  hub.publish(stream, 2, { tick: 2 })
  hub.publish(stream, 3, { tick: 3 })
  expect(sent).toEqual([])

  hub.end(stream, 'finished')
  expect(connection.following.size).toBe(0)
  return sent.map((frame) => JSON.parse(frame))
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
