import { expect, test } from 'vitest'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { channel } from '../../src/rpc/index.ts'
import { BusFaults } from '../support/bus-faults.ts'
import { createHub, type Reader } from '../support/hub.ts'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))
const fail = (error: unknown) => {
  throw error
}

const score = channel<number>('test.onScore', '1')

function rig() {
  const faults = new BusFaults()
  const bus = createMemoryBus(fail)
  const { hub, open } = createHub(faults.over(bus))
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
  return { faults, open, follow, publish, told, skip: () => ++seq, lose: () => faults.lose() }
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
  const { open, follow, publish, told, faults } = rig()
  const reader = open()
  faults.ready = Promise.reject(new Error('cut off'))
  faults.ready.catch(() => undefined)
  const refused = { code: 'UNAVAILABLE', retryAfterMs: 1000 }
  const attempts = [follow(reader), follow(open())]
  for (const attempt of attempts) await expect(attempt).rejects.toMatchObject(refused)
  faults.ready = Promise.resolve()
  await follow(reader)
  publish()
  expect(told(reader)).toEqual([0, 1])
})

test('a snapshot that was read before all nodes knew of the stream is read again', async () => {
  let confirm = () => {}
  const faults = new BusFaults()
  faults.ready = new Promise<void>((resolve) => {
    confirm = resolve
  })
  const { hub, open } = createHub(faults.over(createMemoryBus(fail)))
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
