import { expect, test } from 'vitest'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { defaultLimits } from '../../src/protocol/index.ts'
import { Connection, channel, Hub, RpcError } from '../../src/rpc/index.ts'

const over = channel<object>('t.onMatch', '1')

test('a stream that ends while somebody is opening it is not joined after its end', async () => {
  const bus = createMemoryBus((error) => {
    throw error
  })
  const hub = new Hub({ bus, latestUnsentBytes: defaultLimits.latestUnsentBytes })
  const caller = { user: null, sessionId: null, ip: '127.0.0.1', userAgent: '', device: null }
  const nothing = () => undefined
  const peer = { send: nothing, join: nothing, leave: nothing, unsentBytes: () => 0, close: nothing }
  const connection = new Connection('1', caller, peer, defaultLimits, Date.now())

  let reads = 0
  const read = async () => {
    reads++
    if (reads === 3) throw new RpcError('NOT_FOUND')
    const opened = { channel: over, seq: 4, snapshot: {} }
    // The stream is listened to by now, and what is being read is from before its end.
    if (reads === 2) hub.end(over, 'finished')
    return opened
  }
  await expect(hub.follow(connection, 'reliable', read, () => true)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect([...connection.following.keys()]).toEqual([])
  expect(hub.isFollowed(over)).toBe(false)
})
