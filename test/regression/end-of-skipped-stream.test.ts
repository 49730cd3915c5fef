import { expect, test } from 'vitest'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { defaultLimits } from '../../src/protocol/index.ts'
import { Connection, channel, Hub } from '../../src/rpc/index.ts'

const states = channel<object>('t.onState', '1')

test('who is too slow for the last event of a latest stream gets it with the end', async () => {
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
    () => ({ channel: states, seq: 1, snapshot: {} }),
    () => true,
  )
  unsent = defaultLimits.latestUnsentBytes + 1
  hub.checkBacklog(connection)
  hub.publish(states, 2, { tick: 2 })
  hub.publish(states, 3, { tick: 3 })
  expect(sent).toEqual([])

  hub.end(states, 'finished')
  expect(sent.map((frame) => JSON.parse(frame))).toMatchObject([
    { seq: 3, data: { tick: 3 } },
    { error: 'STREAM_CLOSED', data: { reason: 'finished' } },
  ])
  expect(connection.following.size).toBe(0)
})
