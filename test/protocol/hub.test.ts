import { describe, expect, test } from 'vitest'
import { channel, type Hub } from '../../src/rpc/index.ts'
import { connect } from '../support/client.ts'
import { createHub, type Reader } from '../support/hub.ts'
import { startRig } from '../support/rig.ts'

interface Entry {
  readonly n: number
}
const log = channel<Entry>('t.onLog', 'a')
const HOLD_MS = 2_001

const publish = (hub: Hub, ...numbers: number[]) => {
  for (const n of numbers) hub.publish(log, n, { n })
}

/** Opens the log with a snapshot of `seq`. */
const follow = async (hub: Hub, { connection }: Reader, seq: number) => {
  let answered = 0
  await hub.follow(
    connection,
    'reliable',
    () => ({ channel: log, seq, snapshot: { n: seq } }),
    () => {
      answered++
      return true
    },
  )
  expect(answered).toBe(1)
}

/** The numbers of the events that it got, and the reason if the stream ended. */
const got = ({ sent }: Reader) => sent.map(({ seq, data }) => seq ?? data.reason)

describe('a reliable stream', () => {
  test('sends no event before the one before it', async () => {
    const { hub, open } = createHub()
    const reader = open()
    await follow(hub, reader, 0)
    publish(hub, 1, 3)
    expect(got(reader)).toEqual([1])
    publish(hub, 5, 2)
    expect(got(reader)).toEqual([1, 2, 3])
    publish(hub, 4)
    expect(got(reader)).toEqual([1, 2, 3, 4, 5])
    publish(hub, 5, 4, 6)
    hub.sweep(performance.now() + HOLD_MS)
    expect(got(reader)).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('ends with gap when an event stays away, and not sooner', async () => {
    const { hub, open } = createHub()
    const reader = open()
    await follow(hub, reader, 0)
    publish(hub, 1, 3)
    const now = performance.now()
    hub.sweep(now + HOLD_MS - 10)
    expect(got(reader)).toEqual([1])
    hub.sweep(now + HOLD_MS)
    expect(got(reader)).toEqual([1, 'gap'])
    expect(hub.isFollowed(log)).toBe(false)
  })

  test('ends with gap when too many events wait for one', async () => {
    const { hub, open } = createHub()
    const reader = open()
    await follow(hub, reader, 0)
    publish(hub, ...Array.from({ length: 256 }, (_, i) => i + 2))
    expect(got(reader)).toEqual([])
    publish(hub, 258)
    expect(got(reader)).toEqual(['gap'])
  })

  test('goes on for a follower whose snapshot is newer than the missing event', async () => {
    const { hub, open } = createHub()
    const [behind, ahead] = [open(), open()]
    await follow(hub, behind, 5)
    publish(hub, 7, 8)
    await follow(hub, ahead, 8)
    expect(got(ahead)).toEqual([])
    hub.sweep(performance.now() + HOLD_MS)
    expect(got(behind)).toEqual(['gap'])
    expect(got(ahead)).toEqual([])
    publish(hub, 9, 10)
    hub.sweep(performance.now() + HOLD_MS)
    expect(got(ahead)).toEqual([9, 10])
    expect(got(behind)).toEqual(['gap'])
  })

  test('forgets held events when their followers have left', async () => {
    const { hub, open } = createHub()
    const [behind, ahead] = [open(), open()]
    await follow(hub, behind, 5)
    publish(hub, 7, 8, 9)
    await follow(hub, ahead, 8)
    hub.leave(behind.connection, log.name)
    expect(got(ahead)).toEqual([9])
    publish(hub, 10)
    hub.sweep(performance.now() + HOLD_MS)
    expect(got(ahead)).toEqual([9, 10])
  })

  test('is read again by a socket that was opening it when it ended with gap', async () => {
    const { hub, open } = createHub()
    const [first, late] = [open(), open()]
    await follow(hub, first, 1)
    publish(hub, 3)
    const seqs = [1, 3]
    const answered: number[] = []
    await hub.follow(
      late.connection,
      'reliable',
      () => {
        const seq = seqs.shift() ?? 3
        // Before this reading is compared with the events that came.
        if (seq === 1)
          Promise.resolve()
            .then(() => undefined)
            .then(() => hub.sweep(performance.now() + HOLD_MS))
        return { channel: log, seq, snapshot: { n: seq } }
      },
      (opening) => answered.push(opening.seq) > 0,
    )
    expect(got(first)).toEqual(['gap'])
    expect(answered).toEqual([3])
    publish(hub, 4)
    expect(got(late)).toEqual([4])
  })

  test('is read again by a socket that was opening it when it ended', async () => {
    const { hub, open } = createHub()
    const [first, late] = [open(), open()]
    await follow(hub, first, 1)
    let reads = 0
    await hub.follow(
      late.connection,
      'reliable',
      () => {
        if (++reads === 1)
          Promise.resolve()
            .then(() => undefined)
            .then(() => hub.end(log, 'over'))
        return { channel: log, seq: reads, snapshot: { n: reads } }
      },
      () => true,
    )
    expect(reads).toBeGreaterThan(1)
    publish(hub, 10)
    hub.sweep(performance.now() + HOLD_MS)
    publish(hub, reads + 1)
    expect(hub.isFollowed(log)).toBe(late.connection.following.size > 0)
    expect(got(first)).toEqual(['over'])
  })

  test('stays for a socket that is opening it when the last follower leaves', async () => {
    const { hub, open } = createHub()
    const [first, late] = [open(), open()]
    await follow(hub, first, 0)
    let reads = 0
    await hub.follow(
      late.connection,
      'reliable',
      () => {
        const seq = reads
        if (++reads === 1) publish(hub, 1)
        else hub.leave(first.connection, log.name)
        return { channel: log, seq, snapshot: { n: seq } }
      },
      () => true,
    )
    publish(hub, 2)
    expect(got(late)).toEqual([2])
  })

  test('sends each follower the events after its snapshot, once', async () => {
    const { hub, open } = createHub()
    const [first, second, third] = [open(), open(), open()]
    await follow(hub, first, 0)
    await follow(hub, second, 3)
    await follow(hub, third, 5)
    publish(hub, 1, 2, 3, 4, 5, 6)
    expect(got(first)).toEqual([1, 2, 3, 4, 5, 6])
    expect(got(second)).toEqual([4, 5, 6])
    expect(got(third)).toEqual([6])
  })

  test('is read again when events came while it was read', async () => {
    const { hub, open } = createHub()
    const [first, late] = [open(), open()]
    await follow(hub, first, 0)
    const answered: number[] = []
    let seq = 0
    await hub.follow(
      late.connection,
      'reliable',
      () => {
        const opened = { channel: log, seq, snapshot: { n: seq } }
        if (seq < 3) publish(hub, ++seq)
        return opened
      },
      (opening) => answered.push(opening.seq) > 0,
    )
    expect(answered).toEqual([3])
    expect(got(late)).toEqual([])
  })
})

describe('a latest stream', () => {
  const frames = channel<Entry>('t.onFrame')

  test('sends no event that is older than the one before', async () => {
    const { hub, open } = createHub()
    const reader = open()
    await hub.follow(
      reader.connection,
      'latest',
      () => ({ channel: frames, seq: 0, snapshot: { n: 0 } }),
      () => true,
    )
    for (const n of [2, 1, 2, 5]) hub.publish(frames, n, { n })
    expect(got(reader)).toEqual([2, 5])
  })

  /** A hub with a state, one socket that follows it, and one that opens it while `change` is called in each read. */
  async function openWhile(change: (read: number, publish: () => void) => void) {
    const { hub, open } = createHub()
    const [first, late] = [open(), open()]
    let seq = 0
    const publish = () => {
      seq++
      hub.publish(frames, seq, { n: seq })
    }
    const read = () => ({ channel: frames, seq, snapshot: { n: seq } })
    await hub.follow(first.connection, 'latest', read, () => true)
    const answered: number[] = []
    let reads = 0
    const readSlowly = async () => {
      const opened = read()
      change(++reads, publish)
      return opened
    }
    await hub.follow(late.connection, 'latest', readSlowly, (opening) => answered.push(opening.seq) > 0)
    return { first, late, answered, published: seq }
  }

  test('is read again when an event came while it was read', async () => {
    const { first, late, answered } = await openWhile((read, publish) => {
      if (read <= 2) publish()
    })
    expect(answered).toEqual([2])
    expect(late.sent).toEqual([])
    expect(got(first)).toEqual([1, 2])
  })

  test('that changes all the time still opens, with the newest event', async () => {
    const { late, answered, published } = await openWhile((_, publish) => publish())
    expect(published).toBeGreaterThan(4)
    expect(answered).toEqual([published - 1])
    expect(got(late)).toEqual([published])
  })
})

describe('a socket that is closed', () => {
  test('by the answer to its opening follows nothing and gets nothing more', async () => {
    const { hub, open } = createHub()
    const { connection } = open()
    let reads = 0
    const read = () => {
      reads++
      return { channel: log, seq: 1, snapshot: { n: 1 } }
    }
    const closing = () => {
      connection.close(4008, 'too slow')
      return true
    }
    await hub.follow(connection, 'reliable', read, closing)
    expect([...connection.following.keys()]).toEqual([])
    expect(hub.isFollowed(log)).toBe(false)
    const before = reads
    await hub.follow(connection, 'reliable', read, closing)
    expect(reads).toBe(before)
  })

  test('because it does not read leaves no follower behind, also when it opens more', async () => {
    await using rig = await startRig({ limits: { unsentBytes: 64 * 1024 } })
    for (let i = 0; i < 2_000; i++) rig.world.append('a')
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(rig.url)))
    for (const client of clients) client.socket.pause()
    const until = Date.now() + 15_000
    while (rig.dispatcher.connections.size > 0 && Date.now() < until) {
      // The answer is everything since the beginning.
      const open = '{"type":"t.onLog","eid":"e","ts":1,"data":{"key":"a","since":0}}'
      for (const client of clients) client.send(open)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(rig.dispatcher.connections.size).toBe(0)
    await expect.poll(() => rig.hub.isFollowed(log)).toBe(false)
    for (const client of clients) client.socket.terminate()
  })
})
