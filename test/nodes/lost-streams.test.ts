import { expect, test } from 'vitest'
import type { Bus } from '../../src/bus/bus.ts'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { channel } from '../../src/rpc/index.ts'
import { createHub, type Reader } from '../support/hub.ts'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
const fail = (error: unknown) => {
  throw error
}

/** A bus that can be made to miss messages, and to be cut off. */
function faultyBus() {
  const bus = createMemoryBus(fail)
  const onLost = new Set<() => void>()
  let isCutOff = false
  const faulty: Bus = {
    ...bus,
    subscribe(topic, listener, lost) {
      const { ready, unsubscribe } = bus.subscribe(topic, listener)
      if (lost) onLost.add(lost)
      const refused = Promise.reject(new Error('cut off'))
      refused.catch(() => undefined)
      return {
        ready: isCutOff ? refused : ready,
        unsubscribe() {
          if (lost) onLost.delete(lost)
          unsubscribe()
        },
      }
    },
  }
  return {
    bus: faulty,
    lose: () => {
      for (const lost of [...onLost]) lost()
    },
    cutOff: (value: boolean) => {
      isCutOff = value
    },
  }
}

const score = channel<number>('test.onScore', '1')

function rig() {
  const faults = faultyBus()
  const { hub, open } = createHub(faults.bus)
  let seq = 0
  const follow = (
    reader: Reader,
    delivery: 'reliable' | 'latest' = 'reliable',
    read = () => ({ channel: score, seq, snapshot: seq }),
  ) =>
    hub.follow(reader.connection, delivery, read, (opening) => {
      reader.sent.push({ type: 'test.onScore', eid: 'opened', ts: 0, data: { ...opening } })
      return true
    })
  const publish = () => hub.publish(score, ++seq, seq)
  /** What a reader was told: snapshots, events and ends. */
  const told = ({ sent }: Reader) =>
    sent.map(({ data, error }) => (error ? data : (Reflect.get(Object(data), 'snapshot') ?? data)))
  return { ...faults, hub, open, follow, publish, told, skip: () => ++seq }
}

test.each(['reliable', 'latest'] as const)(
  'a %s stream that may have missed an event ends with gap, and can be opened again',
  async (delivery) => {
    const { open, follow, publish, told, lose, skip } = rig()
    const reader = open()
    await follow(reader, delivery)
    publish()
    skip()
    lose()
    expect(told(reader)).toEqual([0, 1, { reason: 'gap' }])
    publish()
    await follow(reader, delivery)
    publish()
    expect(told(reader)).toEqual([0, 1, { reason: 'gap' }, 3, 4])
  },
)

test('an event that is missed while a stream is opened makes its snapshot be read again', async () => {
  const { open, follow, told, lose, skip } = rig()
  const other = open()
  await follow(other)
  const reader = open()
  let reads = 0
  await follow(reader, 'reliable', () => {
    const seq = reads === 0 ? 0 : 1
    // Another node publishes, and nobody here hears of it.
    if (reads++ === 0) {
      skip()
      queueMicrotask(lose)
    }
    return { channel: score, seq, snapshot: seq }
  })
  expect(told(other)).toEqual([0, { reason: 'gap' }])
  expect(told(reader)).toEqual([1])
})

test('a stream cannot be opened while other nodes cannot be reached, and can once they are', async () => {
  const { open, follow, publish, told, cutOff } = rig()
  const reader = open()
  cutOff(true)
  const refused = { code: 'UNAVAILABLE', retryAfterMs: 1000 }
  const attempts = [follow(reader), follow(open())]
  for (const attempt of attempts) await expect(attempt).rejects.toMatchObject(refused)
  cutOff(false)
  await follow(reader)
  publish()
  expect(told(reader)).toEqual([0, 1])
})

test('a snapshot that was read before all nodes knew of the stream is read again', async () => {
  let confirm = () => {}
  const ready = new Promise<void>((resolve) => {
    confirm = resolve
  })
  const bus = createMemoryBus(fail)
  const subscribe: Bus['subscribe'] = (...listener) => ({ ...bus.subscribe(...listener), ready })
  const { hub, open } = createHub({ ...bus, subscribe })
  const snapshots: number[] = []
  const follow = (read: () => Promise<number> | number) =>
    hub.follow(
      open().connection,
      'reliable',
      async () => {
        const seq = await read()
        return { channel: score, seq, snapshot: seq }
      },
      ({ seq }) => snapshots.push(seq) > 0,
    )

  let seq = 5
  let answer = (_seq: number) => {}
  const answered = new Promise<number>((resolve) => {
    answer = resolve
  })
  let reads = 0
  const slow = follow(() => (reads++ === 0 ? answered : seq))
  const fast = follow(() => seq)
  await expect.poll(() => hub.isFollowed(score)).toBe(true)
  // One node knows of the stream, and its event comes late. Another does not, and its event does not come.
  hub.publish(score, 5, 5)
  seq = 6
  answer(5)
  await nextTurn()
  confirm()
  await Promise.all([slow, fast])
  expect(snapshots).toEqual([6, 6])
})
