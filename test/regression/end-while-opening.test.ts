import { expect, test } from 'vitest'
import { channel, RpcError } from '../../src/rpc/index.ts'
import { createHub } from '../support/hub.ts'

const over = channel<object>('t.onMatch', '1')

test('a socket does not join a stream that ended while it was being opened', async () => {
  const { hub, open } = createHub()
  const { connection } = open()

  let reads = 0
  const read = async () => {
    reads++
    if (reads === 3) throw new RpcError('NOT_FOUND')
    const opened = { channel: over, seq: 4, snapshot: {} }
    // By now the stream is subscribed, and the read returns data from before its end.
    if (reads === 2) hub.end(over, 'finished')
    return opened
  }
  await expect(hub.follow(connection, 'reliable', read, () => true)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect([...connection.following.keys()]).toEqual([])
  expect(hub.isFollowed(over)).toBe(false)
})
